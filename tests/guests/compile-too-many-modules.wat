;;! tries = "Has 1,001 core modules."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "modules count exceeds limit of 1000"
(component (;* 1001 ;)(core module) (;* ;))

;;! tries = "Has 1,001 components inside of it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "components count exceeds limit of 1000"
(component (;* 1001 ;)(component) (;* ;))

;;! tries = "Has a core module with 101 memories."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "memories count exceeds limit of 100"
(component (core module (;* 101 ;)(memory 0) (;* ;)))

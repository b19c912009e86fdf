;;! tries = "Has a core module with 101 tables."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "tables count exceeds limit of 100"
(component (core module (;* 101 ;)(table 0 funcref) (;* ;)))

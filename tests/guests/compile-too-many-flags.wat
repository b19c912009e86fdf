;;! tries = "Has a type of 1,001 flags."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "flag names size is out of bounds"
(component (type (flags (;* 1001 ;)"f{i}" (;* ;))))

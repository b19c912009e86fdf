;;! tries = "Has a type that doubles 30 times."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "effective type size exceeds the limit of 1000000"
(component (type $t0 (tuple u8 u8)) (;* 30 ;)(type (tuple {i} {i})) (;* ;))

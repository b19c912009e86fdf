;;! tries = "Has a chain of 100,000 types, each of which holds the one before."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "type nesting is too deep"
(component (type (list u8)) (;* 100000 ;)(type (list {i})) (;* ;))

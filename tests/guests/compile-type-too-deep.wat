;;! tries = "Has a type that is nested 5,000 deep."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "type nesting is too deep"
(component (type (list u8)) (;* 5000 ;)(type (list {i})) (;* ;))

;;! tries = "Has a variant of 10,001 cases."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "variant cases size is out of bounds"
(component (type (variant (;* 10001 ;)(case "c{i}") (;* ;))))

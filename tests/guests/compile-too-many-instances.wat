;;! tries = "Has 1,001 core instances."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "instances count exceeds limit of 1000"
(component (core module $m) (;* 1001 ;)(core instance (instantiate $m)) (;* ;))

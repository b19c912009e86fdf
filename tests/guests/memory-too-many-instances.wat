;;! tries = "Is made of 17 core instances where 16 are allowed."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = true
;;! limit = "core instances, memories; tables"
(component
    (core module $m (func (export "run")))
    (;* 16 ;)(core instance (instantiate $m)) (;* ;)
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

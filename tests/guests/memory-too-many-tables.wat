;;! tries = "Has five empty tables where four are allowed."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "core instances, memories; tables"
(component
    (core module $m (;* 5 ;)(table 0 funcref) (;* ;) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

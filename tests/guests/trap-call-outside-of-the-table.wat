;;! tries = "Calls an element beyond its table."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (call_indirect (type 0) (i32.const 9))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

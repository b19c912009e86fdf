;;! tries = "Writes across the end of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (i64.store (i32.const 65533) (i64.const -1))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

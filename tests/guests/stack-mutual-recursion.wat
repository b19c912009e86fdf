;;! tries = "Two functions call each other without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = false
;;! limit = "stack"
(component
    (core module $m (func $a (export "run") (call $b) (call $b)) (func $b (call $a) (call $a)))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

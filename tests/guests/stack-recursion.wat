;;! tries = "Calls itself without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = true
;;! limit = "stack"
(component
    (core module $m (func $down (export "run") (call $down) (call $down)))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

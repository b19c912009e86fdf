;;! tries = "Calls itself without end in the start function."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = false
;;! limit = "stack"
(component
    (core module $m (func $s (call $s) (call $s)) (start $s) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

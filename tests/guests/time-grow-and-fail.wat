;;! tries = "Asks for more memory than its own maximum, for ever."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (core module $m (memory 1 2) (func (export "run") (loop (drop (memory.grow (i32.const 9))) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

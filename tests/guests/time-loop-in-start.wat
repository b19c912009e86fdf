;;! tries = "Loops for ever in the start function, before anything is called."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = true
;;! limit = "time"
(component
    (core module $m (func $s (loop (br 0))) (start $s) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Loops for ever in the function that is called."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = true
;;! limit = "time"
;;! backtrace = ["spin"]
(component
    (core module $m (func $spin (export "run") (loop (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Calls itself for ever by a tail call."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (core module $m (func $f (export "run") (return_call $f)))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

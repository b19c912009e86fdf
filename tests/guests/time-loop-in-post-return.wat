;;! tries = "Loops for ever in the clean-up after its result."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = true
;;! limit = "time"
(component
    (core module $m (func (export "run")) (func (export "post") (loop (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run") (post-return (func $i "post")))))

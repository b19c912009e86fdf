;;! tries = "Loops for ever in the clean-up of a component inside of it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (component $inner
        (core module $m (func (export "work")) (func (export "post") (loop (br 0))))
        (core instance $i (instantiate $m))
        (func (export "work") (canon lift (core func $i "work") (post-return (func $i "post")))))
    (instance $inner (instantiate $inner))
    (component $outer
        (import "work" (func $work))
        (core func $work-core (canon lower (func $work)))
        (core module $m
            (import "host" "work" (func $work))
            (func (export "run") (call $work)))
        (core instance $i (instantiate $m (with "host" (instance (export "work" (func $work-core))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer (with "work" (func $inner "work"))))
    (export "run" (func $outer "run")))

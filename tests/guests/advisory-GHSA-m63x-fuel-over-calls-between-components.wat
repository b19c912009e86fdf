;;! tries = "Spends its fuel over calls of a component inside of it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, fuel = 1000000 }
;;! powers = {}
;;! expect = { failure = "FAIL_FUEL" }
;;! doctor = false
;;! limit = "fuel"
(component
    (component $inner
        (core module $m (func (export "work")))
        (core instance $i (instantiate $m))
        (func (export "work") (canon lift (core func $i "work"))))
    (instance $inner (instantiate $inner))
    (component $outer
        (import "work" (func $work))
        (core func $work-core (canon lower (func $work)))
        (core module $m
            (import "host" "work" (func $work))
            (func (export "run") (loop (call $work) (br 0))))
        (core instance $i (instantiate $m (with "host" (instance (export "work" (func $work-core))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer (with "work" (func $inner "work"))))
    (export "run" (func $outer "run")))

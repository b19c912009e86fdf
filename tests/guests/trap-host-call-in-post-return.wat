;;! tries = "Calls the host in the clean-up after its result, where it may not."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (import "wasi:clocks/monotonic-clock@0.2.3" (instance $host (export "now" (func (result u64)))))
    (core func $now (canon lower (func $host "now")))
    (core module $m
        (import "host" "now" (func $now (result i64)))
        (func (export "run"))
        (func (export "post") (drop (call $now))))
    (core instance $i (instantiate $m (with "host" (instance (export "now" (func $now))))))
    (func (export "run") (canon lift (core func $i "run") (post-return (func $i "post")))))

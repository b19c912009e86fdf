;;! tries = "Reads the time of day without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "host calls"
;;! used = { host_calls = 100001 }
(component
    (import "wasi:clocks/wall-clock@0.2.0" (instance $clock
        (type $time (record (field "seconds" u64) (field "nanoseconds" u32)))
        (export "datetime" (type $datetime (eq $time)))
        (export "now" (func (result $datetime)))))
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core func $now (canon lower (func $clock "now") (memory $memory "memory")))
    (core module $m
        (import "host" "now" (func $now (param i32)))
        (func (export "run") (loop (call $now (i32.const 16)) (br 0))))
    (core instance $i (instantiate $m (with "host" (instance (export "now" (func $now))))))
    (func (export "run") (canon lift (core func $i "run"))))

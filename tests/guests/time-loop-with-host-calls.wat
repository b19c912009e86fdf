;;! tries = "Reads the clock for ever where no number of host calls stops it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50, host_calls = 1000000000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (import "wasi:clocks/monotonic-clock@0.2.3" (instance $host (export "now" (func (result u64)))))
    (core module $memory
        (memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $host (canon lower (func $host "now")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "call" (func $host (result i64)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (loop (drop (call $host)) (br 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

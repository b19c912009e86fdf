;;! tries = "Makes one host call more than it may, as the last thing that it does."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, host_calls = 2 }
;;! powers = {}
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "host calls"
;;! used = { host_calls = 3 }
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
        (func (export "run") (;* 3 ;)(drop (call $host)) (;* ;)))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

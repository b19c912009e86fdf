;;! tries = "Draws random bytes without end, 64 KiB at a time."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, host_call_bytes = 1048576 }
;;! powers = {}
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = true
;;! limit = "bytes through host calls"
;;! used = { host_calls = 17 }
(component
    (import "wasi:random/random@0.2.0" (instance $host (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
    (core module $memory
        (memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $host (canon lower (func $host "get-random-bytes")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "call" (func $host (param i64 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (loop (call $host (i64.const 65536) (i32.const 0)) (br 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Reads the clock without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = true
;;! limit = "host calls"
;;! backtrace = ["flood"]
;;! used = { host_calls = 100001 }
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
        (func $flood (export "run") (loop (drop (call $host)) (br 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Calls the host when the host asks it for room."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = true
(component
    (import "wasi:random/random@0.2.0" (instance $host
        (export "get-random-bytes" (func (param "len" u64) (result (list u8))))
        (export "get-random-u64" (func (result u64)))))
    (core func $number (canon lower (func $host "get-random-u64")))
    (core module $memory
        (import "host" "number" (func $number (result i64)))
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (drop (call $number)) (i32.const 1024)))
    (core instance $memory (instantiate $memory (with "host" (instance (export "number" (func $number))))))
    (core func $bytes (canon lower (func $host "get-random-bytes")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "call" (func $host (param i64 i32)))
        (func (export "run") (call $host (i64.const 64) (i32.const 0))))
    (core instance $i (instantiate $m (with "host" (instance (export "call" (func $bytes))))))
    (func (export "run") (canon lift (core func $i "run"))))

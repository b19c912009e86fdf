;;! tries = "Gives a host call room for its result that lies outside of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (import "wasi:random/random@0.2.0" (instance $host (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
    (core module $memory
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65530)))
    (core instance $memory (instantiate $memory))
    (core func $host (canon lower (func $host "get-random-bytes")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "call" (func $host (param i64 i32)))
        (func (export "run") (call $host (i64.const 64) (i32.const 0))))
    (core instance $i (instantiate $m (with "host" (instance (export "call" (func $host))))))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Asks for as many random bytes at once as there are."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
;;! used = { host_call_bytes = 65536 }
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
        (func (export "run") (call $host (i64.const 65536) (i32.const 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

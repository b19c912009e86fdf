;;! tries = "Reads 2^64 - 1 bytes of its standard input at once: it is at its end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 101 }
;;! doctor = false
(component $C
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $err))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (alias outer $C $err (type $e))
        (export "input-stream" (type $s (sub resource)))
        (type $failed (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $se (eq $failed)))
        (export "[method]input-stream.read" (func (param "self" (borrow $s)) (param "len" u64) (result (result (list u8) (error $se)))))
        (export "[method]input-stream.blocking-skip" (func (param "self" (borrow $s)) (param "len" u64) (result (result u64 (error $se)))))))
    (alias export $streams "input-stream" (type $stream))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer $C $stream (type $s))
        (export "get-stdin" (func (result (own $s))))))
    (core module $memory
        (memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $open (canon lower (func $stdin "get-stdin")))
    (core func $drop (canon resource.drop $stream))
    (core func $read (canon lower (func $streams "[method]input-stream.read") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $skip (canon lower (func $streams "[method]input-stream.blocking-skip") (memory $memory "memory")))
    (core module $m
        (import "host" "open" (func $open (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "host" "read" (func $read (param i32 i64 i32)))
        (import "host" "skip" (func $skip (param i32 i64 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32) (call $read (call $open) (i64.const -1) (i32.const 16)) (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 100)) (i32.load8_u (i32.const 20)))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "open" (func $open)) (export "drop" (func $drop))
            (export "read" (func $read)) (export "skip" (func $skip))))
        (with "memory" (instance $memory))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

;;! tries = "Opens its standard input and lets it go, without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = true
;;! limit = "host calls"
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
        (func (export "run") (loop (call $drop (call $open)) (br 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "open" (func $open)) (export "drop" (func $drop))
            (export "read" (func $read)) (export "skip" (func $skip))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

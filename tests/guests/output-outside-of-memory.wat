;;! tries = "Writes what lies outside of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component $C
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $err))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $o (sub resource)))
        (alias outer $C $err (type $e))
        (type $failed (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $se (eq $failed)))
        (export "[method]output-stream.write" (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $se)))))))
    (alias export $streams "output-stream" (type $stream))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer $C $stream (type $o))
        (export "get-stdout" (func (result (own $o))))))
    (core module $memory
        (memory (export "memory") 48))
    (core instance $memory (instantiate $memory))
    (core func $stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory "memory")))
    (core func $drop (canon resource.drop $stream))
    (core module $m
        (import "host" "stdout" (func $stdout (result i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (call $write (call $stdout) (i32.const -4096) (i32.const 8192) (i32.const 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "stdout" (func $stdout)) (export "write" (func $write)) (export "drop" (func $drop))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

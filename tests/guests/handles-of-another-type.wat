;;! tries = "Waits for its standard input as if it were a timer."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component $C
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))))
    (import "wasi:io/streams@0.2.0" (instance $streams (export "input-stream" (type $s (sub resource)))))
    (alias export $streams "input-stream" (type $stream))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer $C $stream (type $s))
        (export "get-stdin" (func (result (own $s))))))
    (core func $open (canon lower (func $stdin "get-stdin")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core module $m
        (import "host" "open" (func $open (result i32)))
        (import "host" "block" (func $block (param i32)))
        (func (export "run") (call $block (call $open))))
    (core instance $i (instantiate $m (with "host" (instance
        (export "open" (func $open)) (export "block" (func $block))))))
    (func (export "run") (canon lift (core func $i "run"))))

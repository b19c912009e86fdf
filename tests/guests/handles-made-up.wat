;;! tries = "Gives back a handle that it never had."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component $C
    (import "wasi:io/streams@0.2.0" (instance $streams (export "input-stream" (type $s (sub resource)))))
    (alias export $streams "input-stream" (type $stream))
    (import "wasi:cli/stdin@0.2.0" (instance $stdin
        (alias outer $C $stream (type $s))
        (export "get-stdin" (func (result (own $s))))))
    (core func $open (canon lower (func $stdin "get-stdin")))
    (core func $drop (canon resource.drop $stream))
    (core module $m
        (import "host" "open" (func $open (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (func (export "run") (call $drop (i32.const 1))))
    (core instance $i (instantiate $m (with "host" (instance
        (export "open" (func $open)) (export "drop" (func $drop))))))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Waits for nothing at all, again and again, where no number of host calls stops it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50, host_calls = 1000000000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component $C
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.ready" (func (param "self" (borrow $p)) (result bool)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))
        (export "poll" (func (param "in" (list (borrow $p))) (result (list u32))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer $C $pollable (type $p))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core module $memory
        (memory (export "memory") 64)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65536)))
    (core instance $memory (instantiate $memory))
    (core func $subscribe (canon lower (func $clock "subscribe-duration")))
    (core func $ready (canon lower (func $poll "[method]pollable.ready")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core func $poll (canon lower (func $poll "poll")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $drop (canon resource.drop $pollable))
    (core module $m
        (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "host" "ready" (func $ready (param i32) (result i32)))
        (import "host" "block" (func $block (param i32)))
        (import "host" "poll" (func $poll (param i32 i32 i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (local $p i32) (local.set $p (call $subscribe (i64.const 0))) (loop (call $block (local.get $p)) (br 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "subscribe" (func $subscribe)) (export "ready" (func $ready))
            (export "block" (func $block)) (export "poll" (func $poll)) (export "drop" (func $drop))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Has the engine turn a megabyte of text from one encoding into another between two components, for ever."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (component $inner
        (core module $m
            (memory (export "memory") 64)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 8))
            (func (export "take") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "take") (param "text" string) (canon lift (core func $i "take")
            (memory $i "memory") (realloc (func $i "realloc")) string-encoding=utf16)))
    (instance $inner (instantiate $inner))
    (component $outer
        (import "take" (func $take (param "text" string)))
        (core module $memory (memory (export "memory") 32))
        (core instance $memory (instantiate $memory))
        (core func $take-core (canon lower (func $take) (memory $memory "memory")))
        (core module $m
            (import "host" "take" (func $take (param i32 i32)))
            (import "memory" "memory" (memory 1))
            (func (export "run") (loop (call $take (i32.const 0) (i32.const 1000000)) (br 0))))
        (core instance $i (instantiate $m (with "host" (instance (export "take" (func $take-core))))
            (with "memory" (instance $memory))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer (with "take" (func $inner "take"))))
    (export "run" (func $outer "run")))

;;! tries = "Gives room at the very end of its memory for a text that is turned from latin1 to utf8."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (component $inner
        (core module $m
            (memory (export "memory") 1)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 65534))
            (func (export "take") (param i32 i32) (result i32) (local.get 1)))
        (core instance $i (instantiate $m))
        (func (export "take") (param "text" string) (result u32) (canon lift (core func $i "take")
            (memory $i "memory") (realloc (func $i "realloc")))))
    (instance $inner (instantiate $inner))
    (component $outer
        (import "take" (func $take (param "text" string) (result u32)))
        (core module $memory (memory (export "memory") 1))
        (core instance $memory (instantiate $memory))
        (core func $take-core (canon lower (func $take) (memory $memory "memory") string-encoding=latin1+utf16))
        (core module $m
            (import "host" "take" (func $take (param i32 i32) (result i32)))
            (import "memory" "memory" (memory 1))
            (func (export "run") (result i32) (call $take (i32.const 0) (i32.const 1000))))
        (core instance $i (instantiate $m (with "host" (instance (export "take" (func $take-core))))
            (with "memory" (instance $memory))))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer (with "take" (func $inner "take"))))
    (export "run" (func $outer "run")))

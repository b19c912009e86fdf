;;! tries = "Is given a number where it takes a text."
;;! export = "echo"
;;! input = { value = 1 }
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = false
;;! says = "the input at /value: a string is wanted, not a number"
(component
    (core module $m
        (memory (export "memory") 16)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
            (global.set $next (i32.add (local.get $at) (local.get 3)))
            (local.get $at))
        (func (export "echo") (param i32 i32) (result i32)
            (i32.store (i32.const 16) (local.get 0))
            (i32.store (i32.const 20) (local.get 1))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "echo") (param "value" string) (result string)
        (canon lift (core func $i "echo") (memory $i "memory") (realloc (func $i "realloc")))))

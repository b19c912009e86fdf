;;! tries = "Looks for its arguments."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = [] }
;;! doctor = false
(component
    (import "wasi:cli/environment@0.2.0" (instance $host (export "get-arguments" (func (result (list string))))))
    (core module $memory
        (memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $host (canon lower (func $host "get-arguments")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "call" (func $host (param i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32) (call $host (i32.const 16)) (i32.const 16)))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (result (list string)) (canon lift (core func $i "run")
        (memory $memory "memory") (realloc (func $memory "realloc")))))

;;! tries = "Exits and says that all is well."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_EXIT" }
;;! doctor = true
;;! says = "the skill called exit with status 0"
(component
    (import "wasi:cli/exit@0.2.0" (instance $host (export "exit" (func (param "status" (result))))))
    (core module $memory
        (memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $host (canon lower (func $host "exit")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "call" (func $host (param i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (call $host (i32.const 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "call" (func $host))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

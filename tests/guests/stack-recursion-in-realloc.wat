;;! tries = "Calls itself without end when the host asks it for room."
;;! export = "run"
;;! input = { text = "hello" }
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = false
;;! limit = "stack"
(component
    (core module $m
        (memory (export "memory") 1)
        (func $down (export "realloc") (param i32 i32 i32 i32) (result i32)
            (drop (call $down (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
            (call $down (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
        (func (export "run") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "text" string)
        (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))

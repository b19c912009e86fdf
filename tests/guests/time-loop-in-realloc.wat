;;! tries = "Loops for ever when the host asks it for room for its input."
;;! export = "run"
;;! input = { text = "hello" }
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = true
;;! limit = "time"
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop (br 0)) unreachable)
        (func (export "run") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "text" string)
        (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))

;;! tries = "Grows its memory without end when the host asks it for room."
;;! export = "run"
;;! input = { text = "hello" }
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "memory"
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (loop (drop (memory.grow (i32.const 1))) (br 0)) unreachable)
        (func (export "run") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "text" string)
        (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))

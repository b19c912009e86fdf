;;! tries = "Gives the host room for its input where numbers do not lie."
;;! export = "run"
;;! input = { numbers = [1, 2, 3] }
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 33))
        (func (export "run") (param i32 i32)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "numbers" (list u32))
        (canon lift (core func $i "run") (memory $i "memory") (realloc (func $i "realloc")))))

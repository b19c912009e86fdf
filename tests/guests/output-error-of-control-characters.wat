;;! tries = "Gives an error of control characters, which stay within a JSON text."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = "\u0000\u0000"
(component
    (core module $m
        (memory (export "memory") 32)
        (func (export "run") (result i32)
            (i32.store8 (i32.const 16) (i32.const 1))
            (i32.store (i32.const 20) (i32.const 1024))
            (i32.store (i32.const 24) (i32.const 2))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (result u32 (error string))) (canon lift (core func $i "run") (memory $i "memory"))))

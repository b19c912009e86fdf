;;! tries = "Gives a million empty texts."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, output_bytes = 67108864 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = false
;;! limit = "nesting, elements of a value"
(component
    (core module $m
        (memory (export "memory") 900)
        (func (export "run") (result i32)
            (i32.store (i32.const 16) (i32.const 1024))
            (i32.store (i32.const 20) (i32.const 1000000))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (list string)) (canon lift (core func $i "run") (memory $i "memory"))))

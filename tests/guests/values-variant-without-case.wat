;;! tries = "Gives a variant with a case that it does not have."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.store (i32.const 16) (i32.const 2)) (i32.store (i32.const 20) (i32.const 7)) (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (option u32)) (canon lift (core func $i "run") (memory $i "memory"))))

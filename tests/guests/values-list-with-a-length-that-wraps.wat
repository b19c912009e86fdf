;;! tries = "Gives a list whose size in bytes wraps around to nothing."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.store (i32.const 16) (i32.const 32)) (i32.store (i32.const 20) (i32.const 536870912)) (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (list u64)) (canon lift (core func $i "run") (memory $i "memory"))))

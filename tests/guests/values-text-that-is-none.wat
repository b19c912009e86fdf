;;! tries = "Gives a text that is no UTF-8."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.store (i32.const 16) (i32.const 32)) (i32.store (i32.const 20) (i32.const 2)) (i32.const 16))
        (data (i32.const 32) "\c0\80"))
    (core instance $i (instantiate $m))
    (func (export "run") (result string) (canon lift (core func $i "run") (memory $i "memory"))))

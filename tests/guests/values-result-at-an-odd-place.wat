;;! tries = "Gives a place for its result where no result lies."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.const 17)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (tuple u64 u64)) (canon lift (core func $i "run") (memory $i "memory"))))

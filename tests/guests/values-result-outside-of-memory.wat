;;! tries = "Gives a place for its result that lies outside of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.const 2147483644)))
    (core instance $i (instantiate $m))
    (func (export "run") (result string) (canon lift (core func $i "run") (memory $i "memory"))))

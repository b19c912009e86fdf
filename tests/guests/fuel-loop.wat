;;! tries = "Loops for ever with a budget of fuel."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, fuel = 100000 }
;;! powers = {}
;;! expect = { failure = "FAIL_FUEL" }
;;! doctor = true
;;! limit = "fuel"
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (loop
        (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1))) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

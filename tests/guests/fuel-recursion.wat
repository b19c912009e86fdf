;;! tries = "Calls itself twice for ever with a budget of fuel, never deeply."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, fuel = 1000000 }
;;! powers = {}
;;! expect = { failure = "FAIL_FUEL" }
;;! doctor = false
;;! limit = "fuel"
(component
    (core module $m
        (func $f (param i32)
        (if (i32.eqz (local.get 0)) (then (return)))
        (call $f (i32.sub (local.get 0) (i32.const 1)))
        (call $f (i32.sub (local.get 0) (i32.const 1))))
        (func (export "run") (call $f (i32.const 60))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

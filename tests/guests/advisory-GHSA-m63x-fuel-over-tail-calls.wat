;;! tries = "Spends its fuel over tail calls through a table."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, fuel = 1000000 }
;;! powers = {}
;;! expect = { failure = "FAIL_FUEL" }
;;! doctor = false
;;! limit = "fuel"
(component
    (core module $m
        (type $t (func))
        (table 1 funcref)
        (elem (i32.const 0) $a)
        (func $a (export "run") (return_call_indirect (type $t) (i32.const 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

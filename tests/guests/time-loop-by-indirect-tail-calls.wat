;;! tries = "Two functions call each other for ever by indirect tail calls."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (core module $m
        (type $t (func))
        (table 2 funcref)
        (elem (i32.const 0) $a $b)
        (func $a (export "run") (return_call_indirect (type $t) (i32.const 1)))
        (func $b (return_call_indirect (type $t) (i32.const 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

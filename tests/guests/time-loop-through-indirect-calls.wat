;;! tries = "Loops for ever over an indirect call."
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
        (table 1 funcref)
        (elem (i32.const 0) $a)
        (func $a)
        (func (export "run") (loop (call_indirect (type $t) (i32.const 0)) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Calls itself through a table without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = false
;;! limit = "stack"
(component
    (core module $m
        (type $t (func))
        (table 1 funcref)
        (elem (i32.const 0) $f)
        (func $f (export "run") (call_indirect (type $t) (i32.const 0)) (call_indirect (type $t) (i32.const 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Calls a function by a type that is not its own."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m
        (type $t (func (param i64) (result i64)))
        (table 1 funcref)
        (elem (i32.const 0) $f)
        (func $f (param i32))
        (func (export "run") (drop (call_indirect (type $t) (i64.const -1) (i32.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

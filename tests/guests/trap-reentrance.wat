;;! tries = "Has a component inside of it call back into the one that called it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $shim
        (table (export "t") 1 funcref)
        (type $f (func))
        (func (export "call") (call_indirect (type $f) (i32.const 0))))
    (core instance $shim (instantiate $shim))
    (func $back (canon lift (core func $shim "call")))
    (core func $back-lowered (canon lower (func $back)))
    (core module $m
        (import "shim" "t" (table 1 funcref))
        (import "shim" "back" (func $back))
        (elem (i32.const 0) $back)
        (func (export "run") (call $back)))
    (core instance $i (instantiate $m (with "shim" (instance (export "t" (table $shim "t")) (export "back" (func $back-lowered))))))
    (func (export "run") (canon lift (core func $i "run"))))

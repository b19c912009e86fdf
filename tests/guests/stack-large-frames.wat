;;! tries = "Calls itself with frames of thousands of values that all live across the call."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = false
;;! limit = "stack"
(component
    (core module $m
        (func $wide (export "run") (local (;* 2000 ;)i64 (;* ;))
        (;* 2000 ;)(local.set {i} (i64.extend_i32_u (memory.size)))
        (;* ;)
        (call $wide)
        (;* 2000 ;)(drop (i64.mul (local.get {i}) (local.get {i})))
        (i64.store (i32.const 0) (local.get {i}))
        (;* ;))
        (memory 1))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

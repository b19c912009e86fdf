;;! tries = "Has 3,000 functions."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (;* 3000 ;)(func (result i32) (i32.const {i}))
        (;* ;)(func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Has a function of 100,000 operations."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (memory 1) (func (export "run") (local i32)
        (;* 25000 ;)(local.set 0 (i32.add (local.get 0) (i32.const {i})))
        (;* ;)))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

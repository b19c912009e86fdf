;;! tries = "Has 20,000 segments of data."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (memory 1) (;* 20000 ;)(data (i32.const 0) "x")
        (;* ;)(func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

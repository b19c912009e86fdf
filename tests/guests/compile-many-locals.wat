;;! tries = "Has a function with 50,000 locals."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m (func (export "run") (local (;* 50000 ;)i64 (;* ;))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

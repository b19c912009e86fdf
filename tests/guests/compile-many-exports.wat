;;! tries = "Has a module with 20,000 exports."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (func $f (export "run"))
        (;* 20000 ;)(export "e{i}" (func $f))
        (;* ;))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Imports 900 interfaces that are not there."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "evil:host/i"
(component
    (;* 900 ;)(import "evil:host/i{i}@1.0.0" (instance (export "run" (func))))
    (;* ;)(core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

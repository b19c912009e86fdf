;;! tries = "Imports 5,000 interfaces that are not there."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "instances count exceeds limit of 1000"
(component
    (;* 5000 ;)(import "evil:host/i{i}@1.0.0" (instance (export "run" (func))))
    (;* ;)(core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Imports sockets that it was not granted."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = true
;;! says = "wasi:sockets/instance-network@0.2.0"
(component
    (import "wasi:sockets/instance-network@0.2.0" (instance (export "instance-network" (func))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

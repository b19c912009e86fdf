;;! tries = "Imports requests that it was not granted."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = true
;;! says = "wasi:http/outgoing-handler@0.2.4"
(component
    (import "wasi:http/outgoing-handler@0.2.4" (instance (export "ping" (func))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

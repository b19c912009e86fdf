;;! tries = "Imports a store that it was not granted."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "wasi:keyvalue/store"
(component
    (import "wasi:keyvalue/store@0.2.0-draft" (instance (export "open" (func))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Imports a shell."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = true
;;! says = "evil:host/shell@1.0.0"
(component
    (import "evil:host/shell@1.0.0" (instance (export "run" (func))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

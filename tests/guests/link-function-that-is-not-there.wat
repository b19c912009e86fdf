;;! tries = "Imports a function that the clock does not have."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "wasi:clocks/monotonic-clock@0.2.0"
(component
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "set" (func (param "when" u64)))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

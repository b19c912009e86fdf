;;! tries = "Imports the clock as a function that takes a text."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "wasi:clocks/monotonic-clock@0.2.0"
(component
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance (export "now" (func (param "format" string) (result u64)))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Imports the time zone, which no skill is given."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "wasi:clocks/timezone@0.2.0"
(component
    (import "wasi:clocks/timezone@0.2.0" (instance (export "utc-offset" (func))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

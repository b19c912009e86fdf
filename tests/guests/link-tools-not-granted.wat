;;! tries = "Imports the calling of other skills without having been granted any."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "skillhall:tools/call"
(component
    (import "skillhall:tools/call@0.1.0" (instance (export "call" (func))))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Is called by a name that it does not export."
;;! export = "walk"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "the component exports no 'walk'"
(component
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Is called by the name of an interface that it does not export."
;;! export = "a:b/c@1.0.0#run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "the component exports no 'a:b/c@1.0.0#run'"
(component
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

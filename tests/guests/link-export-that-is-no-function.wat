;;! tries = "Exports an interface under the name that is called."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_LINK" }
;;! doctor = false
;;! says = "the export 'run' is no function"
(component
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func $f (canon lift (core func $i "run")))
    (instance $run (export "run" (func $f)))
    (export "run" (instance $run)))

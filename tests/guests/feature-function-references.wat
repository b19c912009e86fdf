;;! tries = "Calls through a typed reference."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "function references support is not enabled"
(component
    (core module $m (type $t (func)) (func (param (ref $t)) (call_ref $t (local.get 0))) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

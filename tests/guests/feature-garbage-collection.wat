;;! tries = "Has types that are garbage collected."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = true
;;! says = "cannot define struct types when gc types are disabled"
(component
    (core module $m (type (struct)) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

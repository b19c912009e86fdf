;;! tries = "Has a table of 64-bit indices."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "memory64 must be enabled for 64-bit tables"
(component
    (core module $m (table i64 1 funcref) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Has a memory of 64-bit addresses."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "memory64 must be enabled for 64-bit memories"
(component
    (core module $m (memory i64 1) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

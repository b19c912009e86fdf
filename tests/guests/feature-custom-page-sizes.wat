;;! tries = "Has a memory with pages of one byte."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "the custom page sizes proposal must be enabled to customize a memory's page size"
(component
    (core module $m (memory 1 (pagesize 1)) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Has a memory that threads share."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = true
;;! says = "threads must be enabled for shared memories"
(component
    (core module $m (memory 1 1 shared) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Asks for a table of four billion elements at the start."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = true
;;! limit = "memory"
(component
    (core module $m (table 4294967295 funcref) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

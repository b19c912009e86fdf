;;! tries = "Fills beyond its table."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (table.fill (i32.const 0) (ref.null func) (i32.const 2))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

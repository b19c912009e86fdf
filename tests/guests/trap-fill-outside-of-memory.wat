;;! tries = "Fills beyond its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (memory.fill (i32.const 0) (i32.const 1) (i32.const 65537))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

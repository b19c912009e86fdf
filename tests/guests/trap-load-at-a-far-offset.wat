;;! tries = "Reads four gibibytes beyond its memory by an offset."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = true
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (drop (i64.load offset=4294967295 (i32.const -1)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Copies with a length that wraps around."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (memory.copy (i32.const 65535) (i32.const 0) (i32.const -1))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

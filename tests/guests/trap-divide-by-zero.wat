;;! tries = "Divides by zero."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (drop (i32.div_u (i32.const 1) (i32.const 0)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

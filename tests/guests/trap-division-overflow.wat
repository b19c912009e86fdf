;;! tries = "Divides the smallest number by minus one."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

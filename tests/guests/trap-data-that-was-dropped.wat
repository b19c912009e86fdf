;;! tries = "Copies data that it let go."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (data $d "abc") (func (export "run") (data.drop $d) (memory.init $d (i32.const 0) (i32.const 0) (i32.const 3))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

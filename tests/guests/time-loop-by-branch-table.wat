;;! tries = "Loops for ever through a branch table."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (core module $m (func (export "run") (loop $l (br_table $l $l $l (i32.const 1)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Fills and copies a table of four million elements for ever, each time at once."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = true
;;! limit = "time"
(component
    (core module $m
        (table 4000000 funcref)
        (func (export "run") (loop
        (table.fill (i32.const 0) (ref.null func) (i32.const 4000000))
        (table.copy (i32.const 1) (i32.const 0) (i32.const 3999999))
        (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

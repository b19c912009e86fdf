;;! tries = "Fills and copies all of its memory for ever, each time at once."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = true
;;! limit = "time"
(component
    (core module $m
        (memory 1000)
        (func (export "run") (loop
        (memory.fill (i32.const 0) (i32.const 7) (i32.const 65000000))
        (memory.copy (i32.const 1) (i32.const 0) (i32.const 64000000))
        (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

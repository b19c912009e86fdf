;;! tries = "Spends little fuel and much time, by operations on all of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50, fuel = 1000000000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (core module $m
        (memory 1000)
        (func (export "run") (loop (memory.fill (i32.const 0) (i32.const 7) (i32.const 65000000)) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Copies a large data segment into its memory for ever."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 50 }
;;! powers = {}
;;! expect = { failure = "FAIL_TIME" }
;;! doctor = false
;;! limit = "time"
(component
    (core module $m
        (memory 16)
        (data $d "(;* 4096 ;)abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl(;* ;)")
        (func (export "run") (loop (memory.init $d (i32.const 0) (i32.const 0) (i32.const 262144)) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

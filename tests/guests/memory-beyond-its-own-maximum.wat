;;! tries = "Grows beyond the maximum that it declared itself."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (memory 1 2)
        (func (export "run") (if (i32.ne (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

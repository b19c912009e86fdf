;;! tries = "Has conditions that are nested 2,000 deep, each with a value."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (func (export "run") (drop
        (block (result i32) (i32.const 1)
        (;* 2000 ;)(i32.const 1) if (result i32) (i32.const 2) else (i32.const 3) end i32.add
        (;* ;)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

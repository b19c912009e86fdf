;;! tries = "Looks for what an earlier run left in its memory, and fills all of it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 0 }
;;! doctor = true
;;! runs = 20
(component
    (core module $m
        (memory 16)
        (func (export "run") (result i32) (local $seen i32)
        (local.set $seen (i32.or (i32.load (i32.const 0)) (i32.load (i32.const 1000000))))
        (memory.fill (i32.const 0) (i32.const 0xAA) (i32.const 1048576))
        (local.get $seen)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

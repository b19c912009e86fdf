;;! tries = "Fills all of its memory, and looks in the next run whether anything is left."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 0 }
;;! doctor = true
;;! runs = 5
(component
    (core module $m
        (memory 256)
        (func (export "run") (result i32) (local $i i32) (local $seen i64)
        (loop $more
        (local.set $seen (i64.or (local.get $seen) (i64.load (local.get $i))))
        (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 8))) (i32.const 16777216))))
        (memory.fill (i32.const 0) (i32.const 0xA5) (i32.const 16777216))
        (i64.ne (local.get $seen) (i64.const 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

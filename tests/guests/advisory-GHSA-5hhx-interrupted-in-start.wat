;;! tries = "Works in its start function for so long that it is interrupted, and then goes on."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 10000 }
;;! powers = {}
;;! expect = { value = 30000000 }
;;! doctor = true
(component
    (core module $m
        (global $count (mut i32) (i32.const 0))
        (func $s (loop $more
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (br_if $more (i32.lt_u (global.get $count) (i32.const 30000000)))))
        (start $s)
        (func (export "run") (result i32) (global.get $count)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

;;! tries = "Reads beyond its memory by an index that is shifted and widened."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = true
(component
    (core module $m
        (memory 1)
        (global $g (mut i32) (i32.const 0x20000000))
        (func (export "run")
        (drop (i64.load offset=8 (i32.shl (global.get $g) (i32.const 2))))
        (drop (i64.load offset=16 (i32.wrap_i64 (i64.shl (i64.extend_i32_u (global.get $g)) (i64.const 2)))))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

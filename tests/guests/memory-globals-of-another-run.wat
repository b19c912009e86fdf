;;! tries = "Looks for what an earlier run left in a global and in a table."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 0 }
;;! doctor = false
;;! runs = 20
(component
    (core module $m
        (global $g (mut i32) (i32.const 0))
        (table $t 10 funcref)
        (elem declare func $f)
        (func $f)
        (func (export "run") (result i32) (local $seen i32)
        (local.set $seen (i32.or (global.get $g) (i32.eqz (ref.is_null (table.get $t (i32.const 3))))))
        (global.set $g (i32.const 1))
        (table.set $t (i32.const 3) (ref.func $f))
        (local.get $seen)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

;;! tries = "Calls the intrinsics of its resources in every place and through a table."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 1500 }
;;! doctor = true
(component
    (core module $d
        (global $dropped (export "dropped") (mut i32) (i32.const 0))
        (func (export "dtor") (param i32) (global.set $dropped (i32.add (global.get $dropped) (local.get 0)))))
    (core instance $d (instantiate $d))
    (type $r (resource (rep i32) (dtor (func $d "dtor"))))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core func $rep (canon resource.rep $r))
    (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "host" "rep" (func $rep (param i32) (result i32)))
        (import "d" "dropped" (global $dropped (mut i32)))
        (type $unary (func (param i32) (result i32)))
        (type $none (func (param i32)))
        (table 3 funcref)
        (elem (i32.const 0) $new $drop $rep)
        (func $turn (local $h i32)
            (local.set $h (call_indirect (type $unary) (i32.const 3) (i32.const 0)))
            (if (i32.ne (call_indirect (type $unary) (local.get $h) (i32.const 2)) (i32.const 3)) (then unreachable))
            (call_indirect (type $none) (local.get $h) (i32.const 1)))
        (func $s (call $drop (call $new (i32.const 0))))
        (start $s)
        (func (export "run") (result i32) (local $i i32)
            (loop $more
                (call $turn)
                (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 500))))
            (global.get $dropped)))
    (core instance $i (instantiate $m
        (with "d" (instance $d))
        (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

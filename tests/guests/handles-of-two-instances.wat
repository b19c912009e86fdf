;;! tries = "Two components inside of it make resources, each below the limit."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_HANDLES" }
;;! doctor = false
;;! limit = "handles and resources"
(component
    (component $part
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
            (import "host" "new" (func $new (param i32) (result i32)))
            (func (export "make") (local $i i32)
                (loop $more
                    (drop (call $new (i32.const 1)))
                    (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 700))))))
        (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
        (func (export "make") (canon lift (core func $i "make"))))
    (instance $a (instantiate $part))
    (instance $b (instantiate $part))
    (component $outer
        (import "a" (func $a))
        (import "b" (func $b))
        (core func $a-core (canon lower (func $a)))
        (core func $b-core (canon lower (func $b)))
        (core module $m
            (import "host" "a" (func $a))
            (import "host" "b" (func $b))
            (func (export "run") (call $a) (call $b)))
        (core instance $i (instantiate $m (with "host" (instance (export "a" (func $a-core)) (export "b" (func $b-core))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer (with "a" (func $a "make")) (with "b" (func $b "make"))))
    (export "run" (func $outer "run")))

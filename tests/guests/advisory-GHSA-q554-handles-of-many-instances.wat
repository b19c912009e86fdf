;;! tries = "Fills the tables of handles of ten components inside of it."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, instances = 64 }
;;! powers = {}
;;! expect = { failure = "FAIL_HANDLES" }
;;! doctor = true
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
                    (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 150))))))
        (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
        (func (export "make") (canon lift (core func $i "make"))))
    (instance $p0 (instantiate $part))
    (instance $p1 (instantiate $part))
    (instance $p2 (instantiate $part))
    (instance $p3 (instantiate $part))
    (instance $p4 (instantiate $part))
    (instance $p5 (instantiate $part))
    (instance $p6 (instantiate $part))
    (instance $p7 (instantiate $part))
    (instance $p8 (instantiate $part))
    (instance $p9 (instantiate $part))
    (component $outer
        (import "f0" (func $f0))
        (import "f1" (func $f1))
        (import "f2" (func $f2))
        (import "f3" (func $f3))
        (import "f4" (func $f4))
        (import "f5" (func $f5))
        (import "f6" (func $f6))
        (import "f7" (func $f7))
        (import "f8" (func $f8))
        (import "f9" (func $f9))
        (core func $f0-core (canon lower (func $f0)))
        (core func $f1-core (canon lower (func $f1)))
        (core func $f2-core (canon lower (func $f2)))
        (core func $f3-core (canon lower (func $f3)))
        (core func $f4-core (canon lower (func $f4)))
        (core func $f5-core (canon lower (func $f5)))
        (core func $f6-core (canon lower (func $f6)))
        (core func $f7-core (canon lower (func $f7)))
        (core func $f8-core (canon lower (func $f8)))
        (core func $f9-core (canon lower (func $f9)))
        (core module $m
            (import "host" "f0" (func $f0))
            (import "host" "f1" (func $f1))
            (import "host" "f2" (func $f2))
            (import "host" "f3" (func $f3))
            (import "host" "f4" (func $f4))
            (import "host" "f5" (func $f5))
            (import "host" "f6" (func $f6))
            (import "host" "f7" (func $f7))
            (import "host" "f8" (func $f8))
            (import "host" "f9" (func $f9))
            (func (export "run") (call $f0) (call $f1) (call $f2) (call $f3) (call $f4) (call $f5) (call $f6) (call $f7) (call $f8) (call $f9)))
        (core instance $i (instantiate $m (with "host" (instance (export "f0" (func $f0-core)) (export "f1" (func $f1-core)) (export "f2" (func $f2-core)) (export "f3" (func $f3-core)) (export "f4" (func $f4-core)) (export "f5" (func $f5-core)) (export "f6" (func $f6-core)) (export "f7" (func $f7-core)) (export "f8" (func $f8-core)) (export "f9" (func $f9-core))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer (with "f0" (func $p0 "make")) (with "f1" (func $p1 "make")) (with "f2" (func $p2 "make")) (with "f3" (func $p3 "make")) (with "f4" (func $p4 "make")) (with "f5" (func $p5 "make")) (with "f6" (func $p6 "make")) (with "f7" (func $p7 "make")) (with "f8" (func $p8 "make")) (with "f9" (func $p9 "make"))))
    (export "run" (func $outer "run")))

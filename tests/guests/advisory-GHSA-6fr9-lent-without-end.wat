;;! tries = "Lends one handle a hundred thousand times in one call."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_HANDLES" }
;;! doctor = true
;;! limit = "handles and resources"
(component
    (component $inner
        (type $r (resource (rep i32)))
        (export $r-out "r" (type $r))
        (core func $new (canon resource.new $r))
        (core module $m
            (import "host" "new" (func $new (param i32) (result i32)))
            (func (export "make") (result i32) (call $new (i32.const 5))))
        (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
        (func (export "make") (result (own $r-out)) (canon lift (core func $i "make"))))
    (instance $inner (instantiate $inner))
    (alias export $inner "r" (type $r))
    (component $taker
        (import "r" (type $r (sub resource)))
        (core module $m
            (memory (export "memory") 32)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
            (func (export "take") (param i32 i32)))
        (core instance $i (instantiate $m))
        (func (export "take") (param "r" (list (borrow $r)))
            (canon lift (core func $i "take") (memory $i "memory") (realloc (func $i "realloc")))))
    (instance $taker (instantiate $taker (with "r" (type $r))))
    (component $outer
        (import "r" (type $r (sub resource)))
        (import "make" (func $make (result (own $r))))
        (import "take" (func $take (param "r" (list (borrow $r)))))
        (core module $memory (memory (export "memory") 32))
        (core instance $memory (instantiate $memory))
        (core func $make-core (canon lower (func $make)))
        (core func $take-core (canon lower (func $take) (memory $memory "memory")))
        (core module $m
            (import "host" "make" (func $make (result i32)))
            (import "host" "take" (func $take (param i32 i32)))
            (import "memory" "memory" (memory 1))
            (func (export "run") (local $i i32) (local $h i32)
                (local.set $h (call $make))
                (loop $more
                    (i32.store (i32.mul (local.get $i) (i32.const 4)) (local.get $h))
                    (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100000))))
                (call $take (i32.const 0) (i32.const 100000))))
        (core instance $i (instantiate $m
            (with "host" (instance (export "make" (func $make-core)) (export "take" (func $take-core))))
            (with "memory" (instance $memory))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer
        (with "r" (type $r)) (with "make" (func $inner "make")) (with "take" (func $taker "take"))))
    (export "run" (func $outer "run")))

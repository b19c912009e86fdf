;;! tries = "Lends a handle, and has it given back."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
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
    (component $keeper
        (import "r" (type $r (sub resource)))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "host" "drop" (func $drop (param i32)))
            (func (export "keep") (param i32) (call $drop (local.get 0))))
        (core instance $i (instantiate $m (with "host" (instance (export "drop" (func $drop))))))
        (func (export "keep") (param "r" (borrow $r)) (canon lift (core func $i "keep"))))
    (instance $keeper (instantiate $keeper (with "r" (type $r))))
    (component $outer
        (import "r" (type $r (sub resource)))
        (import "make" (func $make (result (own $r))))
        (import "keep" (func $keep (param "r" (borrow $r))))
        (core func $make-core (canon lower (func $make)))
        (core func $keep-core (canon lower (func $keep)))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "host" "make" (func $make (result i32)))
            (import "host" "keep" (func $keep (param i32)))
            (import "host" "drop" (func $drop (param i32)))
            (func (export "run") (local $h i32) (local.set $h (call $make)) (call $keep (local.get $h)) (call $drop (local.get $h))))
        (core instance $i (instantiate $m (with "host" (instance
            (export "make" (func $make-core)) (export "keep" (func $keep-core)) (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run"))))
    (instance $outer (instantiate $outer
        (with "r" (type $r)) (with "make" (func $inner "make")) (with "keep" (func $keeper "keep"))))
    (export "run" (func $outer "run")))

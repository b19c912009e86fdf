;;! tries = "Gives a resource of its own back twice."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core func $rep (canon resource.rep $r))
    (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "host" "rep" (func $rep (param i32) (result i32)))
        (func (export "run") (local $h i32)
            (local.set $h (call $new (i32.const 5)))
            (call $drop (local.get $h)) (call $drop (local.get $h))))
    (core instance $i (instantiate $m (with "host" (instance
        (export "new" (func $new)) (export "drop" (func $drop)) (export "rep" (func $rep))))))
    (func (export "run") (canon lift (core func $i "run"))))

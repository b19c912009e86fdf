;;! tries = "Calls itself without end in the destructor of a resource."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_STACK" }
;;! doctor = false
;;! limit = "stack"
(component
    (core module $d (func $down (export "dtor") (param i32) (call $down (i32.const 0)) (call $down (i32.const 0))))
    (core instance $d (instantiate $d))
    (type $r (resource (rep i32) (dtor (func $d "dtor"))))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (func (export "run") (call $drop (call $new (i32.const 7)))))
    (core instance $i (instantiate $m (with "host" (instance
        (export "new" (func $new)) (export "drop" (func $drop))))))
    (func (export "run") (canon lift (core func $i "run"))))

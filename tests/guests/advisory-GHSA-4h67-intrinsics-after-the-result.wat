;;! tries = "Calls the intrinsics of its resources in the clean-up after its result."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
;;! says = "cannot leave component instance"
(component
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (core func $drop (canon resource.drop $r))
    (core module $m
        (import "host" "new" (func $new (param i32) (result i32)))
        (import "host" "drop" (func $drop (param i32)))
        (func (export "run"))
        (func (export "post") (call $drop (call $new (i32.const 1)))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "new" (func $new)) (export "drop" (func $drop))))))
    (func (export "run") (canon lift (core func $i "run") (post-return (func $i "post")))))

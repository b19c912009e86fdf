;;! tries = "Makes contexts of errors."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "`error-context.new` requires the component model error-context feature"
(component
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core func $new (canon error-context.new (memory $memory "memory")))
    (core module $m (import "host" "new" (func (param i32 i32) (result i32))) (func (export "run")))
    (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
    (func (export "run") (canon lift (core func $i "run"))))

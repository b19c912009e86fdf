;;! tries = "Exports a function that is asynchronous."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "async component functions require the component model async feature"
(component
    (core module $m (func (export "run") (result i32) (i32.const 0)) (func (export "cb") (param i32 i32 i32) (result i32) unreachable))
    (core instance $i (instantiate $m))
    (func (export "run") async (canon lift (core func $i "run") async (callback (func $i "cb")))))

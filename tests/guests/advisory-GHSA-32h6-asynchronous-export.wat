;;! tries = "Lifts a function asynchronously."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "async component functions require the component model async feature"
(component
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") async (canon lift (core func $i "run") async)))

;;! tries = "Takes a stream."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "`stream` requires the component model async feature"
(component
    (type $s (stream u8))
    (core module $m (func (export "run") (param i32)))
    (core instance $i (instantiate $m))
    (func (export "run") (param "s" $s) (canon lift (core func $i "run"))))

;;! tries = "Starts threads."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "shared composite types require the shared-everything-threads proposal"
(component
    (core type $f (shared (func (param i32))))
    (core func $spawn (canon thread.spawn-ref $f))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

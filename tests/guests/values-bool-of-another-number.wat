;;! tries = "Gives 77 for true."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = true }
;;! doctor = false
(component
    (core module $m (func (export "run") (result i32) (i32.const 77)))
    (core instance $i (instantiate $m))
    (func (export "run") (result bool) (canon lift (core func $i "run"))))

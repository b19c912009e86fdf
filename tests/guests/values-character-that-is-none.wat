;;! tries = "Gives a character that is half of a pair."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (func (export "run") (result i32) (i32.const 0xd800)))
    (core instance $i (instantiate $m))
    (func (export "run") (result char) (canon lift (core func $i "run"))))

;;! tries = "Gives an enum with a case that it does not have."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (func (export "run") (result i32) (i32.const 200)))
    (core instance $i (instantiate $m))
    (type $e (enum "a" "b"))
    (export $x "e" (type $e))
    (func (export "run") (result $x) (canon lift (core func $i "run"))))

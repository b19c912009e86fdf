;;! tries = "Gives a value that is nested four deep where three are allowed."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, depth = 3 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = false
;;! limit = "nesting, elements of a value"
;;! says = "the result at /0/0/0: nested more than 3 deep"
(component
    (core module $m (func (export "run") (result i32) (i32.const 7)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (tuple (tuple (tuple (tuple u32))))) (canon lift (core func $i "run"))))

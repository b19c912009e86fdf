;;! tries = "Gives flags with bits that are none of them."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = ["f0", "f1", "f2"] }
;;! doctor = true
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.const -1)))
    (core instance $i (instantiate $m))
    (type $flags (flags "f0" "f1" "f2"))
    (export $f "f" (type $flags))
    (func (export "run") (result $f) (canon lift (core func $i "run") (memory $i "memory"))))

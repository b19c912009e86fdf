;;! tries = "Gives a hundred thousand records with a budget of fuel."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, fuel = 1000000, output_bytes = 67108864 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = false
;;! limit = "nesting, elements of a value"
(component
    (core module $m
        (memory (export "memory") 64)
        (func (export "run") (result i32)
            (i32.store (i32.const 16) (i32.const 1024))
            (i32.store (i32.const 20) (i32.const 100000))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (type $r (record (;* 20 ;)(field "f{i}" u8) (;* ;)))
    (export $record "r" (type $r))
    (func (export "run") (result (list $record)) (canon lift (core func $i "run") (memory $i "memory"))))

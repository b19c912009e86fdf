;;! tries = "Gives three million records with twenty fields each."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, output_bytes = 67108864 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = false
;;! limit = "nesting, elements of a value"
(component
    (core module $m
        (memory (export "memory") 960)
        (func (export "run") (result i32)
            (i32.store (i32.const 16) (i32.const 1024))
            (i32.store (i32.const 20) (i32.const 3000000))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (type $r (record (;* 20 ;)(field "f{i}" u8) (;* ;)))
    (export $record "r" (type $r))
    (func (export "run") (result (list $record)) (canon lift (core func $i "run") (memory $i "memory"))))

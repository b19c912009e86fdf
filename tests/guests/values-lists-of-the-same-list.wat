;;! tries = "Gives lists of lists of lists, each a thousand times the same one: 10^12 values in a few kilobytes."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = true
;;! limit = "nesting, elements of a value"
(component
    (core module $m
        (memory (export "memory") 4)
        (func $fill (param $at i32) (param $to i32) (local $i i32)
            (loop $more
                (i32.store (i32.add (local.get $at) (i32.mul (local.get $i) (i32.const 8))) (local.get $to))
                (i32.store (i32.add (local.get $at) (i32.add (i32.const 4) (i32.mul (local.get $i) (i32.const 8)))) (i32.const 1000))
                (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
        (func (export "run") (result i32)
            (call $fill (i32.const 16384) (i32.const 32768))
            (call $fill (i32.const 32768) (i32.const 49152))
            (call $fill (i32.const 49152) (i32.const 65536))
            (i32.store (i32.const 16) (i32.const 16384))
            (i32.store (i32.const 20) (i32.const 1000))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (list (list (list (list u32))))) (canon lift (core func $i "run") (memory $i "memory"))))

;;! tries = "Gives a thousand texts that are all the same megabyte of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_VALUE" }
;;! doctor = true
;;! limit = "nesting, elements of a value"
(component
    (core module $m
        (memory (export "memory") 32)
        (func (export "run") (result i32) (local $i i32)
            (loop $more
                (i32.store (i32.add (i32.const 1024) (i32.mul (local.get $i) (i32.const 8))) (i32.const 65536))
                (i32.store (i32.add (i32.const 1028) (i32.mul (local.get $i) (i32.const 8))) (i32.const 1000000))
                (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))
            (i32.store (i32.const 16) (i32.const 1024))
            (i32.store (i32.const 20) (i32.const 1000))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "run") (result (list string)) (canon lift (core func $i "run") (memory $i "memory"))))

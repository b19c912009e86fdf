;;! tries = "Takes each way of a branch table, and numbers beyond it, and adds up where it came."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 0 }
;;! doctor = true
(component
    (core module $m
        (func $to (param i32) (result i32)
        block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block block
        local.get 0
        br_table 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40
        end i32.const 0 return
        end i32.const 1 return
        end i32.const 2 return
        end i32.const 3 return
        end i32.const 4 return
        end i32.const 5 return
        end i32.const 6 return
        end i32.const 7 return
        end i32.const 8 return
        end i32.const 9 return
        end i32.const 10 return
        end i32.const 11 return
        end i32.const 12 return
        end i32.const 13 return
        end i32.const 14 return
        end i32.const 15 return
        end i32.const 16 return
        end i32.const 17 return
        end i32.const 18 return
        end i32.const 19 return
        end i32.const 20 return
        end i32.const 21 return
        end i32.const 22 return
        end i32.const 23 return
        end i32.const 24 return
        end i32.const 25 return
        end i32.const 26 return
        end i32.const 27 return
        end i32.const 28 return
        end i32.const 29 return
        end i32.const 30 return
        end i32.const 31 return
        end i32.const 32 return
        end i32.const 33 return
        end i32.const 34 return
        end i32.const 35 return
        end i32.const 36 return
        end i32.const 37 return
        end i32.const 38 return
        end i32.const 39 return
        end i32.const 40)
        (func (export "run") (result i32) (local $i i32) (local $wrong i32)
        (loop $more
        (if (i32.ne (call $to (local.get $i)) (select (local.get $i) (i32.const 40) (i32.lt_u (local.get $i) (i32.const 40))))
            (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))
        (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 100))))
        (if (i32.ne (call $to (i32.const -1)) (i32.const 40)) (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))
        (if (i32.ne (call $to (i32.const 0x80000000)) (i32.const 40)) (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))
        (local.get $wrong)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

;;! tries = "Is interrupted in operations on all of its memory, and looks whether they were whole."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 20000 }
;;! powers = {}
;;! expect = { value = 0 }
;;! doctor = true
(component
    (core module $m
        (memory 960)
        (func (export "run") (result i32) (local $turn i32) (local $wrong i32)
        (loop $again
        (memory.fill (i32.const 0) (local.get $turn) (i32.const 31457280))
        (memory.copy (i32.const 31457280) (i32.const 0) (i32.const 31457280))
        (if (i32.ne (i32.load8_u (i32.const 62914559)) (i32.and (local.get $turn) (i32.const 255)))
            (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))
        (if (i32.ne (i32.load8_u (i32.const 31457280)) (i32.and (local.get $turn) (i32.const 255)))
            (then (local.set $wrong (i32.add (local.get $wrong) (i32.const 1)))))
        (br_if $again (i32.lt_u (local.tee $turn (i32.add (local.get $turn) (i32.const 1))) (i32.const 12))))
        (local.get $wrong)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

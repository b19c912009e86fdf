;;! tries = "Moves 120 MiB within its own memory, which no host call counts."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, host_calls = 0 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
;;! used = { host_calls = 0 }
(component
    (core module $m
        (memory 2)
        (func (export "run") (local $i i32) (loop $again
        (memory.copy (i32.const 0) (i32.const 65536) (i32.const 65536))
        (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))
        (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000))))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

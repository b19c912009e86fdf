;;! tries = "Grows a table beyond what a table can have at all."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (table 1 funcref)
        (func (export "run") (if (i32.ne (table.grow (ref.null func) (i32.const -1)) (i32.const -1)) (then unreachable))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Grows a table without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = true
;;! limit = "memory"
(component
    (core module $m (table 1 funcref) (func (export "run") (loop (drop (table.grow (ref.null func) (i32.const 1000))) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

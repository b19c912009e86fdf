;;! tries = "Grows a table by four billion elements at once."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "memory"
(component
    (core module $m (table 1 funcref) (func (export "run") (loop (drop (table.grow (ref.null func) (i32.const -2))) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

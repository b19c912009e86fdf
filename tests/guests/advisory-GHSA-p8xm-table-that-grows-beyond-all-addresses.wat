;;! tries = "Grows a table by two billion elements, again and again."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "memory"
(component
    (core module $m (table 0 funcref) (func (export "run") (loop (drop (table.grow (ref.null func) (i32.const 0x7fffffff))) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

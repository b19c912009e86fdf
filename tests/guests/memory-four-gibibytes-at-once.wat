;;! tries = "Grows its memory to four gibibytes at once."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = true
;;! limit = "memory"
(component
    (core module $m (memory 1) (func (export "run") (drop (memory.grow (i32.const 65535)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Grows its memory page by page without end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = true
;;! limit = "memory"
;;! says = "4194304"
;;! backtrace = ["hungry"]
(component
    (core module $m (memory 1) (func $hungry (export "run") (loop (drop (memory.grow (i32.const 1))) (br 0))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

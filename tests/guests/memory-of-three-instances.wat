;;! tries = "Three instances grow, each far below the limit."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = true
;;! limit = "memory"
(component
    (core module $part (memory 1)
        (func $grow (drop (memory.grow (i32.const 23)))) (start $grow))
    (core instance (instantiate $part))
    (core instance (instantiate $part))
    (core instance (instantiate $part))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

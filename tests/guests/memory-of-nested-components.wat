;;! tries = "Components inside of it have memories, each far below the limit."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "memory"
(component
    (component $part
        (core module $m (memory 24))
        (core instance (instantiate $m)))
    (instance (instantiate $part))
    (instance (instantiate $part))
    (instance (instantiate $part))
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

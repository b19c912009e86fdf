;;! tries = "Asks for all that it is allowed, and no more."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
;;! used = { memory_peak_bytes = 4194304 }
(component
    (core module $m (memory 64) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

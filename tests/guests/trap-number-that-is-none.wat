;;! tries = "Makes an integer of what is no number."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (memory 1) (table 1 funcref) (func (export "run") (drop (i32.trunc_f32_s (f32.const nan)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Spreads a number that lies at the very end of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 7.0 }
;;! doctor = true
(component
    (core module $m
        (memory 1024 1024)
        (func (export "run") (result f64)
        (f64.store (i32.const 67108856) (f64.const 7))
        (f64x2.extract_lane 1 (f64x2.splat (f64.load (i32.const 67108856))))))
    (core instance $i (instantiate $m))
    (func (export "run") (result f64) (canon lift (core func $i "run"))))

;;! tries = "Takes the sign of a number that lies at the very end of its memory."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = -1.0 }
;;! doctor = true
(component
    (core module $m
        (memory 1024 1024)
        (func (export "run") (result f64)
        (f64.store (i32.const 67108856) (f64.const -3))
        (f64.copysign (f64.const 1) (f64.load (i32.const 67108856)))))
    (core instance $i (instantiate $m))
    (func (export "run") (result f64) (canon lift (core func $i "run"))))

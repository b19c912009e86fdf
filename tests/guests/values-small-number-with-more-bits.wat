;;! tries = "Gives 2^32 - 1 for a number of eight bits."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { value = 255 }
;;! doctor = false
(component
    (core module $m (func (export "run") (result i32) (i32.const -1)))
    (core instance $i (instantiate $m))
    (func (export "run") (result u8) (canon lift (core func $i "run"))))

;;! tries = "Is made of 20 components inside of it, each with an instance."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "core instances, memories; tables"
(component
    (component $part (core module $m) (core instance (instantiate $m)))
    (;* 20 ;)(instance (instantiate $part)) (;* ;)
    (core module $m (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

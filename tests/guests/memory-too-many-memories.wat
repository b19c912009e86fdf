;;! tries = "Has 17 empty memories where 16 are allowed."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "core instances, memories; tables"
(component
    (core module $m (;* 17 ;)(memory 0) (;* ;) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "Has a section of ten megabytes that nobody reads."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m (@custom "nothing" "(;* 100000 ;)0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789(;* ;)") (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

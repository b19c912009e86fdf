;;! tries = "Traps in a function with a name that is as long as names can be."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (func $f (@name "(;* 99000 ;)n(;* ;)") (export "run") unreachable))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

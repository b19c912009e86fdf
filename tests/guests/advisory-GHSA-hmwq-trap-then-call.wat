;;! tries = "Traps, is called again, and must not find what it left before."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = true
;;! runs = 10
(component
    (core module $m
        (global $been (mut i32) (i32.const 0))
        (func (export "run")
        (if (global.get $been) (then (loop (br 0))))
        (global.set $been (i32.const 1))
        unreachable))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

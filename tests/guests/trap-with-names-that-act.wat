;;! tries = "Traps in a function whose name holds control characters."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
;;! backtrace = ["a\\u{1b}[31m"]
(component
    (core module $m (func $f (@name "a\1b[31m\0ab") (export "run") unreachable))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

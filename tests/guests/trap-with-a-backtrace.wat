;;! tries = "Runs into what cannot be reached, in functions with mangled names."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = true
;;! says = "wasm trap: wasm `unreachable` instruction executed"
;;! backtrace = ["inner", "core::panicking::panic", "outer"]
(component
    (core module $m
        (func $inner unreachable)
        (func $_ZN4core9panicking5panic17h0123456789abcdefE (call $inner))
        (func $outer (export "run") (call $_ZN4core9panicking5panic17h0123456789abcdefE)))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

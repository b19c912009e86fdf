;;! tries = "Traps in the clean-up after its result."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
(component
    (core module $m (func (export "run") (result i32) (i32.const 7)) (func (export "post") (param i32) unreachable))
    (core instance $i (instantiate $m))
    (func (export "run") (result u32) (canon lift (core func $i "run") (post-return (func $i "post")))))

;;! tries = "Has a function whose code gives another type than it says."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "type mismatch: expected i32, found i64"
(component (core module (func (result i32) (i64.const 1))))

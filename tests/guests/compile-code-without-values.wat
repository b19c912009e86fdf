;;! tries = "Has a function that takes values from where there are none."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "type mismatch: expected a type but nothing on stack"
(component (core module (func (drop))))

;;! tries = "Exports a function that takes typed references."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "gc types are disallowed but found type which requires gc"
(component (core module $m (func (export "run") (param (ref null none)))) (core instance $i (instantiate $m)))

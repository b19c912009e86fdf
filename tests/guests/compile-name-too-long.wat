;;! tries = "Has an export with a name of more than 100,000 bytes."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "string size out of bounds"
(component (core module (func (export "(;* 100001 ;)n(;* ;)"))))

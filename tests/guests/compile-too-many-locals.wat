;;! tries = "Has a function with 50,001 locals."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "too many locals: locals exceed maximum"
(component (core module (func (local (;* 50001 ;)i32 (;* ;)))))

;;! tries = "Has a function with 1,001 parameters."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "function params size is out of bounds"
(component (core module (func (param (;* 1001 ;)i32 (;* ;)))))

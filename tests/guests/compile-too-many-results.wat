;;! tries = "Has a function with 1,001 results."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "function returns size is out of bounds"
(component (core module (type (func (result (;* 1001 ;)i32 (;* ;))))))

;;! tries = "Has a function of eight million bytes."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "function body size count exceeds limit of 7654321"
(component (core module (func (;* 4000000 ;)nop nop (;* ;))))

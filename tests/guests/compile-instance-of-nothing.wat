;;! tries = "Instantiates a module without what it imports."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "missing module instantiation argument named `a`"
(component (core module $m (import "a" "b" (func))) (core instance (instantiate $m)))

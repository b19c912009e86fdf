;;! tries = "Throws references that are garbage collected."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "gc types are disallowed but found type which requires gc"
(component (core module $m (tag $t (param externref)) (func (export "run") (throw $t (ref.null extern)))))

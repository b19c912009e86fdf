;;! tries = "Is a core module and no component."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = true
;;! says = "attempted to parse a wasm module with a component parser"
(module (func (export "run")))

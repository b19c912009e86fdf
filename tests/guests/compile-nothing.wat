;;! tries = "Is no bytes at all."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "unexpected end-of-file"
(component binary "")

;;! tries = "Is a text and no component."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "magic header not detected: bad magic number"
(component binary "(component)")

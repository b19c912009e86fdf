;;! tries = "Is a program of the machine."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = true
;;! says = "magic header not detected: bad magic number"
(component binary "\7fELF\02\01\01\00\00\00\00\00\00\00\00\00\02\00\3e\00")

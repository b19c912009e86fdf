;;! tries = "Is a component of a version that is not known."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "unknown binary version"
(component binary "\00asm\0e\00\01\00")

;;! tries = "Is of a layer that is not known."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "unknown binary version"
(component binary "\00asm\0d\00\02\00")

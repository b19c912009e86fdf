;;! tries = "Has a section that is not known."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "malformed section id: 127"
(component binary "\00asm\0d\00\01\00" "\7f\00")

;;! tries = "Has a section that says it has four gibibytes."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = true
;;! says = "module section is too large"
(component binary "\00asm\0d\00\01\00" "\01\ff\ff\ff\ff\0f\00asm")

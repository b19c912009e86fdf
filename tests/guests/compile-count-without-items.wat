;;! tries = "Says that it has four billion types, and has none."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "types count exceeds limit of 1000000"
(component binary "\00asm\0d\00\01\00" "\07\05\ff\ff\ff\ff\0f")

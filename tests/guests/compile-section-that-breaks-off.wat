;;! tries = "Has a section that breaks off."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "invalid module section"
(component binary "\00asm\0d\00\01\00" "\01\20\00asm\01\00\00\00")

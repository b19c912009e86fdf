;;! tries = "Is a component whose header breaks off."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "unexpected end-of-file"
(component binary "\00asm\0d\00\01")

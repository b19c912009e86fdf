;;! tries = "Has a core module that breaks off within a module."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "section too large"
(component binary "\00asm\0d\00\01\00" "\01\0c\00asm\01\00\00\00" "\01\05\01\60")

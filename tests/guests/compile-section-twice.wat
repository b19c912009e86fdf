;;! tries = "Has a core module with a section that comes twice."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "section out of order"
(component binary "\00asm\0d\00\01\00" "\01\0e\00asm\01\00\00\00" "\05\01\00" "\05\01\00")

;;! tries = "Has an export with a name that is no UTF-8."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "malformed UTF-8"
(component binary "\00asm\0d\00\01\00" "\01\13\00asm\01\00\00\00" "\01\01\00" "\07\06\01\02\c0\80\00\00")

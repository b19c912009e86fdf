;;! tries = "Has a number that does not end."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "invalid var_u32: integer representation too long"
(component binary "\00asm\0d\00\01\00" "\01\80\80\80\80\80\80\80\80\80\80\00")

;;! tries = "Is the first four bytes of WebAssembly and no more."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "unexpected end-of-file"
(component binary "\00asm")

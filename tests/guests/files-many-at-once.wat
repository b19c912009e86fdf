;;! tries = "Holds files open: the 257th is refused by the error quota."
;;! export = "hold"
;;! input = { path = "data", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 25606 }
;;! doctor = false
;;! limit = "files and folders open at once"
;;! body = "tests/guests/bodies/files.wat"

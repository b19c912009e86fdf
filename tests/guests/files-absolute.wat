;;! tries = "Reads the machine's accounts."
;;! export = "open"
;;! input = { path = "/etc/passwd", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = true
;;! body = "tests/guests/bodies/files.wat"

;;! tries = "Opens a pipe that nobody writes to."
;;! export = "open"
;;! input = { path = "pipe", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = true
;;! body = "tests/guests/bodies/files.wat"

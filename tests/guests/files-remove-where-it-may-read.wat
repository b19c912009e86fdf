;;! tries = "Removes a file where it was granted to read."
;;! export = "unlink-file"
;;! input = { path = "data", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

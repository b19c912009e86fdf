;;! tries = "Writes where it was granted to read."
;;! export = "open-to-write"
;;! input = { path = "data", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = true
;;! body = "tests/guests/bodies/files.wat"

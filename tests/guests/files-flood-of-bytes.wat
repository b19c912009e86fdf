;;! tries = "Reads a file without end."
;;! export = "read-again-and-again"
;;! input = { path = "data", other = "" }
;;! limits = { time_ms = 5000, host_call_bytes = 10000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "bytes through host calls"
;;! body = "tests/guests/bodies/files.wat"

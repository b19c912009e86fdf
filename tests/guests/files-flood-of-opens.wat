;;! tries = "Opens a file without end."
;;! export = "flood"
;;! input = { path = "data", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = true
;;! limit = "opens"
;;! says = "more than 1000 files"
;;! body = "tests/guests/bodies/files.wat"

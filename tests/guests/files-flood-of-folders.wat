;;! tries = "Makes a folder without end."
;;! export = "flood-of-folders"
;;! input = { path = "made", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "opens"
;;! body = "tests/guests/bodies/files.wat"

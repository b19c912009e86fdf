;;! tries = "Writes more into a file than a run may."
;;! export = "put"
;;! input = { path = "new", other = "ten letters" }
;;! limits = { time_ms = 5000, file_bytes = 9 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "bytes into files"
;;! body = "tests/guests/bodies/files.wat"

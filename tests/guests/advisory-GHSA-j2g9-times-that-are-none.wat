;;! tries = "Sets the times of a file to 2^64 - 1 seconds and 2^32 - 1 nanoseconds."
;;! export = "set-times-far"
;;! input = { path = "data", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 30 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

;;! tries = "Moves a file from a folder to write into one to read."
;;! export = "rename-from-second"
;;! input = { path = "data", other = "new" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }, { mount = "/out", access = "write" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

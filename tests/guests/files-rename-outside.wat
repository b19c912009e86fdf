;;! tries = "Moves a file out of its folder."
;;! export = "rename"
;;! input = { path = "data", other = "../outside/new" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

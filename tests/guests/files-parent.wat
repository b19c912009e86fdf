;;! tries = "Reads a file beside its folder."
;;! export = "open"
;;! input = { path = "../outside/secret", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = true
;;! body = "tests/guests/bodies/files.wat"

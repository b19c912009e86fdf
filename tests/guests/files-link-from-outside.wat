;;! tries = "Links a file from outside into its folder."
;;! export = "link"
;;! input = { path = "../outside/secret", other = "new" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

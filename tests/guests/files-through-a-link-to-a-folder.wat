;;! tries = "Reads through a link to a folder outside."
;;! export = "open"
;;! input = { path = "folder/secret", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

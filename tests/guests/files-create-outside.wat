;;! tries = "Makes a file through a link to a folder outside."
;;! export = "open-to-create"
;;! input = { path = "folder/new", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

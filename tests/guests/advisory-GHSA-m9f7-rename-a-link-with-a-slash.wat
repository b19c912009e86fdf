;;! tries = "Moves what a link with a slash behind it points to."
;;! export = "rename"
;;! input = { path = "folder/", other = "new" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 24 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

;;! tries = "Moves a folder onto a link with a slash behind it."
;;! export = "rename"
;;! input = { path = "deep", other = "folder/" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 24 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

;;! tries = "Makes a link to an absolute path."
;;! export = "symlink"
;;! input = { path = "/etc/passwd", other = "new" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "write" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

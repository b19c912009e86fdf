;;! tries = "Reads through a link to the root of the machine."
;;! export = "open"
;;! input = { path = "root/etc/passwd", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

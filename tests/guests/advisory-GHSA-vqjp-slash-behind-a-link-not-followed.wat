;;! tries = "Opens a link that is not to be followed with a slash behind it."
;;! export = "open-unfollowed"
;;! input = { path = "folder/", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = false
;;! body = "tests/guests/bodies/files.wat"

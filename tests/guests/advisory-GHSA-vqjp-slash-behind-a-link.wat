;;! tries = "Opens a link to a folder outside with a slash behind it."
;;! export = "open-folder"
;;! input = { path = "folder/", other = "" }
;;! limits = { time_ms = 5000 }
;;! powers = { files = [{ mount = "/in", access = "read" }] }
;;! expect = { value = 31 }
;;! doctor = true
;;! body = "tests/guests/bodies/files.wat"

;;! tries = "Opens a socket where the interfaces are linked empty."
;;! export = "tcp"
;;! input = { remote = { ipv4 = { port = 5432, address = [192, 0, 2, 1] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = "empty" }
;;! expect = { value = 101 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

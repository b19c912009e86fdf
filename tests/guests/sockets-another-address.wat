;;! tries = "Connects to another address than the granted one."
;;! export = "tcp"
;;! input = { remote = { ipv4 = { port = 5432, address = [192, 0, 2, 2] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 301 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

;;! tries = "Accepts connections at a socket that does not listen."
;;! export = "tcp-accept"
;;! input = { local = { ipv4 = { port = 0, address = [0, 0, 0, 0] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 809 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

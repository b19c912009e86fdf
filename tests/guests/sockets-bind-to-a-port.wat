;;! tries = "Takes a port of this machine."
;;! export = "tcp-bind"
;;! input = { local = { ipv4 = { port = 5432, address = [0, 0, 0, 0] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 201 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

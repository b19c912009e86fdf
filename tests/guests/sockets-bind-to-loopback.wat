;;! tries = "Takes an address of this machine."
;;! export = "tcp-bind"
;;! input = { local = { ipv4 = { port = 0, address = [127, 0, 0, 1] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 201 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

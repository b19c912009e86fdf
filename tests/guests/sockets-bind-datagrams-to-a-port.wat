;;! tries = "Takes a port of this machine for datagrams."
;;! export = "udp-bind"
;;! input = { local = { ipv4 = { port = 53, address = [0, 0, 0, 0] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "udp", address = "192.0.2.1", port = 53 }] }
;;! expect = { value = 201 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

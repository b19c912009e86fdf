;;! tries = "Connects a UDP socket to another address than the granted one."
;;! export = "udp-connected"
;;! input = { remote = { ipv4 = { port = 53, address = [192, 0, 2, 2] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "udp", address = "192.0.2.1", port = 53 }] }
;;! expect = { value = 301 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

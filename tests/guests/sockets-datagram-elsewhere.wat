;;! tries = "Sends a datagram to another port than the granted one."
;;! export = "udp-elsewhere"
;;! input = { remote = { ipv4 = { port = 53, address = [192, 0, 2, 1] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "udp", address = "192.0.2.1", port = 53 }] }
;;! expect = { value = 501 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

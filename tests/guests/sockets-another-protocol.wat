;;! tries = "Opens a UDP socket where TCP is granted."
;;! export = "udp"
;;! input = { remote = { ipv4 = { port = 5432, address = [192, 0, 2, 1] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 101 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

;;! tries = "Reaches for an IPv4 address by way of 6to4."
;;! export = "tcp"
;;! input = { remote = { ipv6 = { port = 5432, flow-info = 0, address = [8194, 32512, 1, 0, 0, 0, 0, 0], scope-id = 0 } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }, { protocol = "tcp", address = "2001:db8::1", port = 5432 }] }
;;! expect = { value = 301 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

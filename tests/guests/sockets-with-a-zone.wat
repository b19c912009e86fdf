;;! tries = "Names a granted address in a zone of its own."
;;! export = "tcp"
;;! input = { remote = { ipv6 = { port = 5432, flow-info = 0, address = [8193, 3512, 0, 0, 0, 0, 0, 1], scope-id = 1 } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }, { protocol = "tcp", address = "2001:db8::1", port = 5432 }] }
;;! expect = { value = 301 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

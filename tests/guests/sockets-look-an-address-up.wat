;;! tries = "Has an address looked up, which needs no asking."
;;! export = "lookup"
;;! input = { name = "127.0.0.1" }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 901 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

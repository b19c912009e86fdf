;;! tries = "Has a name looked up."
;;! export = "lookup"
;;! input = { name = "localhost" }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { value = 901 }
;;! doctor = false
;;! body = "tests/guests/bodies/sockets.wat"

;;! tries = "Makes sockets without end, and lets each go before the next."
;;! export = "tcp-again"
;;! input = { remote = { ipv4 = { port = 5432, address = [192, 0, 2, 1] } } }
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = [{ protocol = "tcp", address = "192.0.2.1", port = 5432 }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "sockets"
;;! says = "more than 64 sockets"
;;! used = { sockets = 65 }
;;! body = "tests/guests/bodies/sockets.wat"

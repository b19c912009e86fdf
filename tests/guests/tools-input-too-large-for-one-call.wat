;;! tries = "Sends an input that does not fit through one call of the host."
;;! export = "lie"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = { tools = [{ skill = "org.acme/a", version = "^1" }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! body = "tests/guests/bodies/tools.wat"

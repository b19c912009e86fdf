;;! tries = "Calls what it was granted where nobody takes calls."
;;! export = "call"
;;! input = { skill = "org.acme/a", tool = "t", input = "{}" }
;;! limits = { time_ms = 5000 }
;;! powers = { tools = [{ skill = "org.acme/a", version = "^1" }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "unavailable" }
;;! body = "tests/guests/bodies/tools.wat"

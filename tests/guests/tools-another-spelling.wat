;;! tries = "Calls what it was granted by a name with a version."
;;! export = "call"
;;! input = { skill = "org.acme/a@1.0.0", tool = "t", input = "{}" }
;;! limits = { time_ms = 5000 }
;;! powers = { tools = [{ skill = "org.acme/a", version = "^1" }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "undeclared" }
;;! body = "tests/guests/bodies/tools.wat"

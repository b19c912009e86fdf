;;! tries = "Calls a skill that it was not granted."
;;! export = "call"
;;! input = { skill = "org.acme/b", tool = "t", input = "{}" }
;;! limits = { time_ms = 5000 }
;;! powers = { tools = [{ skill = "org.acme/a", version = "^1" }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "undeclared" }
;;! used = { tool_calls = 1 }
;;! body = "tests/guests/bodies/tools.wat"

;;! tries = "Calls another skill without end."
;;! export = "flood"
;;! input = { skill = "org.acme/b", tool = "t", input = "{}" }
;;! limits = { time_ms = 5000 }
;;! powers = { tools = [{ skill = "org.acme/a", version = "^1" }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "calls of other skills"
;;! says = "more than 16 times"
;;! used = { tool_calls = 17 }
;;! body = "tests/guests/bodies/tools.wat"

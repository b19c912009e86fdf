;;! tries = "Names a tool that does not lie in its memory."
;;! export = "outside"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = { tools = [{ skill = "org.acme/a", version = "^1" }] }
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
;;! body = "tests/guests/bodies/tools.wat"

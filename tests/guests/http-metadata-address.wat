;;! tries = "Asks the address from which clouds give out credentials."
;;! export = "skillhall:fetch-title/api@1.0.0#title"
;;! input = { url = "http://169.254.169.254/latest/meta-data/" }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://169.254.169.254", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "destination-IP-prohibited" }
;;! body = "fixtures/skills/fetch-title/component.wasm"

;;! tries = "Asks this very machine by its name."
;;! export = "skillhall:fetch-title/api@1.0.0#title"
;;! input = { url = "http://localhost/" }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://localhost", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "destination-IP-prohibited" }
;;! body = "fixtures/skills/fetch-title/component.wasm"

;;! tries = "Asks this very machine."
;;! export = "skillhall:fetch-title/api@1.0.0#title"
;;! input = { url = "http://127.0.0.1:8080/" }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://127.0.0.1:8080", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "destination-IP-prohibited" }
;;! body = "fixtures/skills/fetch-title/component.wasm"

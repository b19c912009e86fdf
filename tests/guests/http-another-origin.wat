;;! tries = "Asks an origin that it was not granted."
;;! export = "skillhall:fetch-title/api@1.0.0#title"
;;! input = { url = "https://b.example/" }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "https://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "HTTP-request-denied" }
;;! body = "fixtures/skills/fetch-title/component.wasm"

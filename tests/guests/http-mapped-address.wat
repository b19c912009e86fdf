;;! tries = "Asks this very machine by an address that maps it into another family."
;;! export = "skillhall:fetch-title/api@1.0.0#title"
;;! input = { url = "http://[::ffff:127.0.0.1]/" }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://[::ffff:127.0.0.1]", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "destination-IP-prohibited" }
;;! body = "fixtures/skills/fetch-title/component.wasm"

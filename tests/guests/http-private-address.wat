;;! tries = "Asks a machine of the network behind this one."
;;! export = "skillhall:fetch-title/api@1.0.0#title"
;;! input = { url = "http://10.0.0.1/" }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://10.0.0.1", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_SKILL" }
;;! doctor = false
;;! error = { refused = "destination-IP-prohibited" }
;;! body = "fixtures/skills/fetch-title/component.wasm"

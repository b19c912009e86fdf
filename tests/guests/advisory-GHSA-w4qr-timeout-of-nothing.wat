;;! tries = "Sends a request with timeouts of zero."
;;! export = "send"
;;! input = { authority = "127.0.0.1:9", path = "/", timeout = 0 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://127.0.0.1:9", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 2004 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

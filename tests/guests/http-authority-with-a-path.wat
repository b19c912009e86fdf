;;! tries = "Puts a path and another host into the authority."
;;! export = "send"
;;! input = { authority = "a.example/@evil.example", path = "/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 2 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

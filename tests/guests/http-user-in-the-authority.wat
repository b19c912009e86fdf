;;! tries = "Puts a user before the host, so that it looks like another one."
;;! export = "send"
;;! input = { authority = "a.example@evil.example", path = "/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 2015 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

;;! tries = "Gives a whole URL of another host where a path is wanted."
;;! export = "send"
;;! input = { authority = "a.example", path = "http://evil.example/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 3 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

;;! tries = "Gives a path that is another host by some readings."
;;! export = "send"
;;! input = { authority = "a.example", path = "//evil.example/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 2015 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

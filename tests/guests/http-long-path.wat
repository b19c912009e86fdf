;;! tries = "Asks a path of 9,000 bytes."
;;! export = "send-long"
;;! input = { authority = "a.example", path = "/////////", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 2020 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

;;! tries = "States two lengths of its body that are not the same."
;;! export = "send-lengths"
;;! input = { authority = "a.example", path = "/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 200 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

;;! tries = "Asks a path that does not lie under the granted one."
;;! export = "send"
;;! input = { authority = "a.example", path = "/wiki/../admin", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/wiki"] }] }
;;! expect = { value = 2015 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

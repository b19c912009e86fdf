;;! tries = "Writes to the body of a request that it never sends."
;;! export = "write-unsent"
;;! input = { authority = "a.example", path = "/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { value = 32 }
;;! doctor = false
;;! body = "tests/guests/bodies/http.wat"

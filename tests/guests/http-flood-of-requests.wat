;;! tries = "Sends refused requests without end."
;;! export = "flood"
;;! input = { authority = "b.example", path = "/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_HOST_CALLS" }
;;! doctor = false
;;! limit = "requests"
;;! says = "more than 16 requests"
;;! used = { http_requests = 17 }
;;! body = "tests/guests/bodies/http.wat"

;;! tries = "Sets as many header fields as there is room for."
;;! export = "fields-flood"
;;! input = { authority = "a.example", path = "/", timeout = 1000000000 }
;;! limits = { time_ms = 5000 }
;;! powers = { http = [{ origin = "http://a.example", methods = ["GET"], paths = ["/"] }] }
;;! expect = { failure = "FAIL_TRAP" }
;;! doctor = false
;;! says = "fields"
;;! body = "tests/guests/bodies/http.wat"

;;! tries = "Has more data than its memory may have."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "memory"
(component
    (core module $m (memory 160) (data (i32.const 0) "(;* 100000 ;)0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789(;* ;)") (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

;;! tries = "One instance has three memories, each far below the limit."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000, memory_bytes = 4194304 }
;;! powers = {}
;;! expect = { failure = "FAIL_MEMORY" }
;;! doctor = false
;;! limit = "memory"
(component
    (core module $m
        (memory $a 1) (memory $b 1) (memory $c 1)
        (func (export "run")
        (drop (memory.grow $a (i32.const 23))) (drop (memory.grow $b (i32.const 23))) (drop (memory.grow $c (i32.const 23)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

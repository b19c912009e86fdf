;;! tries = "Has a branch table of 60,000 entries."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m (func (export "run") (block $b (br_table (;* 60000 ;)$b (;* ;) $b (i32.const 3)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

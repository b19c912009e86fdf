;;! tries = "Has a branch table of 100,000 entries."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "Unsupported feature: `br_table` has 100000 targets, which exceeds the implementation limit of 65520"
(component
    (core module $m (func (export "run") (block $b (br_table (;* 100000 ;)$b (;* ;) $b (i32.const 3)))))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

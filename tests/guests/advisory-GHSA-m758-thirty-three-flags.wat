;;! tries = "Imports a type of 33 flags, which no longer fit into a word."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "cannot have more than 32 flags"
(component
    (core module $m
        (memory (export "memory") 1)
        (func (export "run") (result i32) (i32.const 16)))
    (core instance $i (instantiate $m))
    (type $flags (flags "f0" "f1" "f2" "f3" "f4" "f5" "f6" "f7" "f8" "f9" "f10" "f11" "f12" "f13" "f14" "f15" "f16" "f17" "f18" "f19" "f20" "f21" "f22" "f23" "f24" "f25" "f26" "f27" "f28" "f29" "f30" "f31" "f32"))
    (export $f "f" (type $flags))
    (func (export "run") (result $f) (canon lift (core func $i "run") (memory $i "memory"))))

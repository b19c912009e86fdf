;;! tries = "Uses operations whose results differ from machine to machine."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = { refused = "component" }
;;! doctor = false
;;! says = "relaxed SIMD support is not enabled"
(component
    (core module $m (func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0)))) (func (export "run")))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

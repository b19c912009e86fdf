;;! tries = "Has blocks that are nested 20,000 deep."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = false
(component
    (core module $m
        (func (export "run")
        (;* 20000 ;)block
        (;* ;)(;* 20000 ;)end
        (;* ;)))
    (core instance $i (instantiate $m))
    (func (export "run") (canon lift (core func $i "run"))))

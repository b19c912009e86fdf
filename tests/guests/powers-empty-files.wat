;;! tries = "Looks for folders where it was granted none."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = { files = "empty" }
;;! expect = { value = 0 }
;;! doctor = true
(component $C
    (import "wasi:filesystem/types@0.2.0" (instance $types (export "descriptor" (type (sub resource)))))
    (alias export $types "descriptor" (type $descriptor))
    (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
        (alias outer $C $descriptor (type $d))
        (export "get-directories" (func (result (list (tuple (own $d) string)))))))
    (core module $memory (memory (export "memory") 2)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $get (canon lower (func $preopens "get-directories")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "get" (func $get (param i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32) (call $get (i32.const 16)) (i32.load (i32.const 20))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "get" (func $get)))) (with "memory" (instance $memory))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

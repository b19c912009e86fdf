;;! tries = "Sends a request where it was granted none: the error is HTTP-request-denied."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = { http = "empty" }
;;! expect = { value = 101 }
;;! doctor = true
;;! used = { host_calls = 4 }
(component $C
    (import "wasi:http/types@0.2.4" (instance $types
        (export "fields" (type $f (sub resource)))
        (export "outgoing-request" (type $r (sub resource)))
        (export "request-options" (type $o (sub resource)))
        (export "future-incoming-response" (type (sub resource)))
        (export "[constructor]fields" (func (result (own $f))))
        (export "[constructor]outgoing-request" (func (param "headers" (own $f)) (result (own $r))))
        (export "[method]outgoing-request.set-path-with-query"
            (func (param "self" (borrow $r)) (param "path-with-query" (option string)) (result (result))))
        (export "[static]fields.from-list" (func (result (own $f))))
        (type $codes (variant (case "DNS-timeout") (case "HTTP-request-denied") (case "internal-error" (option string))))
        (export "error-code" (type (eq $codes)))))
    (alias export $types "outgoing-request" (type $request))
    (alias export $types "request-options" (type $options))
    (alias export $types "future-incoming-response" (type $future))
    (alias export $types "error-code" (type $code))
    (import "wasi:http/outgoing-handler@0.2.4" (instance $handler
        (alias outer $C $request (type $r)) (alias outer $C $options (type $o))
        (alias outer $C $future (type $u)) (alias outer $C $code (type $c))
        (export "handle" (func (param "request" (own $r)) (param "options" (option (own $o)))
            (result (result (own $u) (error $c)))))))
    (core module $memory (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
    (core instance $memory (instantiate $memory))
    (core func $fields (canon lower (func $types "[constructor]fields")))
    (core func $request (canon lower (func $types "[constructor]outgoing-request")))
    (core func $path (canon lower (func $types "[method]outgoing-request.set-path-with-query") (memory $memory "memory")))
    (core func $static (canon lower (func $types "[static]fields.from-list")))
    (core func $handle (canon lower (func $handler "handle")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "fields" (func $fields (result i32)))
        (import "host" "request" (func $request (param i32) (result i32)))
        (import "host" "path" (func $path (param i32 i32 i32 i32) (result i32)))
        (import "host" "static" (func $static (result i32)))
        (import "host" "handle" (func $handle (param i32 i32 i32 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32) (local $r i32)
            (local.set $r (call $request (call $fields)))
            (if (call $path (local.get $r) (i32.const 1) (i32.const 64) (i32.const 1)) (then unreachable))
            (call $handle (local.get $r) (i32.const 0) (i32.const 0) (i32.const 16))
            (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 100)) (i32.load8_u (i32.const 20))))
        (func $asks (export "other") (drop (call $static))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "fields" (func $fields)) (export "request" (func $request))
            (export "path" (func $path)) (export "static" (func $static)) (export "handle" (func $handle))))
        (with "memory" (instance $memory))))
    (func (export "run") (result u32) (canon lift (core func $i "run")))
    (func (export "other") (canon lift (core func $i "other"))))

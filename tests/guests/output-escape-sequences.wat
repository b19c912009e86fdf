;;! tries = "Writes what makes a terminal do things: its clipboard, its title, its colours."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = {}
;;! expect = "done"
;;! doctor = true
;;! stdout = "hi\\u{1b}]52;c;aGk=\\u{7}\n\\u{1b}]0;title\\u{7}\\u{1b}[31m\\u{1b}[2J�31m\\u{7f}\\u{8}\\u{8}rm\\u{d}\n\\u{0}"
(component $C
    (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
    (alias export $error "error" (type $err))
    (import "wasi:io/streams@0.2.0" (instance $streams
        (export "output-stream" (type $o (sub resource)))
        (alias outer $C $err (type $e))
        (type $failed (variant (case "last-operation-failed" (own $e)) (case "closed")))
        (export "stream-error" (type $se (eq $failed)))
        (export "[method]output-stream.write" (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $se)))))))
    (alias export $streams "output-stream" (type $stream))
    (import "wasi:cli/stdout@0.2.0" (instance $stdout
        (alias outer $C $stream (type $o))
        (export "get-stdout" (func (result (own $o))))))
    (core module $memory
        (memory (export "memory") 48)
        (data (i32.const 1024) "hi\1b]52;c;aGk=\07\0a\1b]0;title\07\1b[31m\1b[2J\9b31m\7f\08\08rm\0d\0a\00"))
    (core instance $memory (instantiate $memory))
    (core func $stdout (canon lower (func $stdout "get-stdout")))
    (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory "memory")))
    (core func $drop (canon resource.drop $stream))
    (core module $m
        (import "host" "stdout" (func $stdout (result i32)))
        (import "host" "write" (func $write (param i32 i32 i32 i32)))
        (import "host" "drop" (func $drop (param i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (local $s i32)
            (local.set $s (call $stdout))
            (call $write (local.get $s) (i32.const 1024) (i32.const 46) (i32.const 0))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "stdout" (func $stdout)) (export "write" (func $write)) (export "drop" (func $drop))))
        (with "memory" (instance $memory))))
    (func (export "run") (canon lift (core func $i "run"))))

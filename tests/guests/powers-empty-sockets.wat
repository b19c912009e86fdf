;;! tries = "Opens a socket where it was granted none: the error is access-denied."
;;! export = "run"
;;! input = {}
;;! limits = { time_ms = 5000 }
;;! powers = { sockets = "empty" }
;;! expect = { value = 101 }
;;! doctor = true
(component $C
    (import "wasi:sockets/network@0.2.0" (instance $network
        (type $codes (enum "unknown" "access-denied" "not-supported" "invalid-argument" "out-of-memory" "timeout"
            "concurrency-conflict" "not-in-progress" "would-block" "invalid-state" "new-socket-limit"
            "address-not-bindable" "address-in-use" "remote-unreachable" "connection-refused" "connection-reset"
            "connection-aborted" "datagram-too-large" "name-unresolvable" "temporary-resolver-failure"
            "permanent-resolver-failure"))
        (export "error-code" (type (eq $codes)))
        (type $families (enum "ipv4" "ipv6"))
        (export "ip-address-family" (type (eq $families)))))
    (alias export $network "error-code" (type $code))
    (alias export $network "ip-address-family" (type $family))
    (import "wasi:sockets/tcp@0.2.0" (instance $tcp (export "tcp-socket" (type (sub resource)))))
    (alias export $tcp "tcp-socket" (type $socket))
    (import "wasi:sockets/tcp-create-socket@0.2.0" (instance $create
        (alias outer $C $socket (type $s)) (alias outer $C $code (type $c)) (alias outer $C $family (type $f))
        (export "create-tcp-socket" (func (param "address-family" $f) (result (result (own $s) (error $c)))))))
    (core module $memory (memory (export "memory") 1))
    (core instance $memory (instantiate $memory))
    (core func $make (canon lower (func $create "create-tcp-socket") (memory $memory "memory")))
    (core module $m
        (import "host" "make" (func $make (param i32 i32)))
        (import "memory" "memory" (memory 1))
        (func (export "run") (result i32)
            (call $make (i32.const 0) (i32.const 16))
            ;; 1 for an error, and which one
            (i32.add (i32.mul (i32.load8_u (i32.const 16)) (i32.const 100)) (i32.load8_u (i32.const 20)))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "make" (func $make)))) (with "memory" (instance $memory))))
    (func (export "run") (result u32) (canon lift (core func $i "run"))))

//! What a guest sees of the base and of empty powers.

use skillhall_core::clock::Timestamp;

use super::*;
use crate::sandbox::{Link, Replay};

fn linked(wat: &str, links: SandboxLinks) -> Outcome {
    execute(Order { links, ..order(wat, "run", json!({}), limits()) })
}

#[test]
fn there_is_no_environment_no_argument_no_directory() {
    for (interface, function, result) in [
        ("wasi:cli/environment@0.2.0", "get-environment", "(list (tuple string string))"),
        ("wasi:cli/environment@0.2.0", "get-arguments", "(list string)"),
    ] {
        let wat = passing(interface, function, result);
        assert_eq!(run_wat(&wat, limits()).end, Ok(json!([])), "{function}");
    }
}

/// A component that gives back what an imported function without parameters gives: a list, or anything of two words.
fn passing(interface: &str, function: &str, result: &str) -> String {
    format!(
        r#"(component
        (import "{interface}" (instance $host (export "{function}" (func (result {result})))))
        (core module $memory (memory (export "memory") 2)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
        (core instance $memory (instantiate $memory))
        (core func $host (canon lower (func $host "{function}")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core module $m
            (import "host" "call" (func $host (param i32)))
            (func (export "run") (result i32) (call $host (i32.const 16)) (i32.const 16)))
        (core instance $i (instantiate $m (with "host" (instance (export "call" (func $host))))))
        (func (export "run") (result {result}) (canon lift (core func $i "run")
            (memory $memory "memory") (realloc (func $memory "realloc")))))"#
    )
}

const PREOPENS: &str = r#"(component $C
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
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;

#[test]
fn empty_files_hold_no_directory() {
    let links = SandboxLinks { files: Link::Empty, ..SandboxLinks::default() };
    assert_eq!(linked(PREOPENS, links).end, Ok(json!(0)));
    fails(&linked(PREOPENS, SandboxLinks::default()), FailureCode::Link);
    fails(
        &linked(PREOPENS, SandboxLinks { http: Link::Empty, sockets: Link::Empty, ..SandboxLinks::default() }),
        FailureCode::Link,
    );
}

const SOCKET: &str = r#"(component $C
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
    (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;

#[test]
fn empty_sockets_refuse() {
    let links = SandboxLinks { sockets: Link::Empty, ..SandboxLinks::default() };
    let end = linked(SOCKET, links).end;
    assert_eq!(end, Ok(json!(101)), "the error access-denied is wanted");
    fails(&linked(SOCKET, SandboxLinks::default()), FailureCode::Link);
}

const HTTP: &str = r#"(component $C
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
    (func (export "other") (canon lift (core func $i "other"))))"#;

#[test]
fn empty_http_denies_every_request() {
    let links = SandboxLinks { http: Link::Empty, ..SandboxLinks::default() };
    let outcome = linked(HTTP, links);
    assert_eq!(outcome.end, Ok(json!(101)), "the error HTTP-request-denied is wanted");
    assert_eq!(outcome.resources.host_calls.used, 4);
    let other = execute(Order { links, ..order(HTTP, "other", json!({}), limits()) });
    let failure = fails(&other, FailureCode::Trap);
    assert!(failure.message.contains("wasi:http is linked empty"), "{}", failure.message);
    fails(&linked(HTTP, SandboxLinks::default()), FailureCode::Link);
}

#[test]
fn a_replay_gives_the_same_time_and_randomness() {
    let number = with_result("wasi:random/random@0.2.0", "get-random-u64");
    let clock = with_result("wasi:clocks/monotonic-clock@0.2.0", "now");
    let run = |wat: &str, seed: Option<u8>| {
        let replay = seed.map(|seed| Replay { at: Timestamp::from_millis(0), seed: [seed; 32] });
        execute(Order { replay, ..order(wat, "run", json!({}), limits()) }).end.unwrap()
    };
    assert_eq!(run(&number, Some(1)), run(&number, Some(1)));
    assert_ne!(run(&number, Some(1)), run(&number, Some(2)));
    assert_ne!(run(&number, None), run(&number, None));
    assert_eq!(run(&clock, Some(1)), json!(0));
}

fn with_result(interface: &str, function: &str) -> String {
    format!(
        r#"(component
        (import "{interface}" (instance $host (export "{function}" (func (result u64)))))
        (core func $host (canon lower (func $host "{function}")))
        (core module $m (import "host" "call" (func $host (result i64)))
            (func (export "run") (result i64) (call $host)))
        (core instance $i (instantiate $m (with "host" (instance (export "call" (func $host))))))
        (func (export "run") (result u64) (canon lift (core func $i "run"))))"#
    )
}

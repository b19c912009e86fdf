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

#[test]
fn empty_files_hold_no_directory() {
    let links = SandboxLinks { files: Link::Empty, ..SandboxLinks::default() };
    assert_eq!(linked(&hostile("powers-empty-files"), links).end, Ok(json!(0)));
    fails(&linked(&hostile("powers-empty-files"), SandboxLinks::default()), FailureCode::Link);
    fails(
        &linked(
            &hostile("powers-empty-files"),
            SandboxLinks { http: Link::Empty, sockets: Link::Empty, ..SandboxLinks::default() },
        ),
        FailureCode::Link,
    );
}

#[test]
fn empty_sockets_refuse() {
    let links = SandboxLinks { sockets: Link::Empty, ..SandboxLinks::default() };
    let end = linked(&hostile("powers-empty-sockets"), links).end;
    assert_eq!(end, Ok(json!(101)), "the error access-denied is wanted");
    fails(&linked(&hostile("powers-empty-sockets"), SandboxLinks::default()), FailureCode::Link);
}

#[test]
fn empty_http_denies_every_request() {
    let links = SandboxLinks { http: Link::Empty, ..SandboxLinks::default() };
    let outcome = linked(&hostile("powers-empty-http"), links);
    assert_eq!(outcome.end, Ok(json!(101)), "the error HTTP-request-denied is wanted");
    assert_eq!(outcome.resources.host_calls.used, 4);
    let other = execute(Order { links, ..order(&hostile("powers-empty-http"), "other", json!({}), limits()) });
    let failure = fails(&other, FailureCode::Trap);
    assert!(failure.message.contains("wasi:http is linked empty"), "{}", failure.message);
    fails(&linked(&hostile("powers-empty-http"), SandboxLinks::default()), FailureCode::Link);
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

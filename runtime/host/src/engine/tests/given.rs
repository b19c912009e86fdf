//! What a guest reads of the values that it was given, and what becomes of what it logs.

use skillhall_core::capability::{Asks, Grants, Policy, narrow};

use super::*;
use crate::sandbox::Link;
use crate::sandbox::log::{Level, Line};

/// A memory with an allocator that gives each list a place of its own.
const MEMORY: &str = r#"
    (core module $memory (memory (export "memory") 2)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $memory (instantiate $memory))
"#;

/// Gives back its environment.
fn environment() -> String {
    format!(
        r#"(component
        (import "wasi:cli/environment@0.2.0" (instance $host
            (export "get-environment" (func (result (list (tuple string string)))))))
        {MEMORY}
        (core func $host (canon lower (func $host "get-environment")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core module $m
            (import "host" "call" (func $host (param i32)))
            (func (export "run") (result i32) (call $host (i32.const 16)) (i32.const 16)))
        (core instance $i (instantiate $m (with "host" (instance (export "call" (func $host))))))
        (func (export "run") (result (list (tuple string string)))
            (canon lift (core func $i "run") (memory $memory "memory"))))"#
    )
}

/// `all` gives back all its configuration; `run` one value, or `none` if there is none of that name.
fn configuration() -> String {
    format!(
        r#"(component
        (import "wasi:config/store@0.2.0-rc.1" (instance $host
            (type $e (variant (case "upstream" string) (case "io" string)))
            (export "error" (type $error (eq $e)))
            (export "get" (func (param "key" string) (result (result (option string) (error $error)))))
            (export "get-all" (func (result (result (list (tuple string string)) (error $error)))))))
        {MEMORY}
        (core func $get (canon lower (func $host "get")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core func $all (canon lower (func $host "get-all")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core module $m
            (import "host" "get" (func $get (param i32 i32 i32)))
            (import "host" "all" (func $all (param i32)))
            (import "memory" "memory" (memory 1))
            (func (export "run") (param i32 i32) (result i32)
                (call $get (local.get 0) (local.get 1) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then unreachable))
                (i32.const 20))
            (func (export "all") (result i32)
                (call $all (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then unreachable))
                (i32.const 20)))
        (core instance $i (instantiate $m
            (with "host" (instance (export "get" (func $get)) (export "all" (func $all))))
            (with "memory" (instance $memory))))
        (func (export "run") (param "key" string) (result (option string))
            (canon lift (core func $i "run") (memory $memory "memory") (realloc (func $memory "realloc"))))
        (func (export "all") (result (list (tuple string string)))
            (canon lift (core func $i "all") (memory $memory "memory"))))"#
    )
}

fn grants(asks: Value, policy: Value) -> Grants {
    let (asks, policy): (Asks, Policy) = (serde_json::from_value(asks).unwrap(), serde_json::from_value(policy).unwrap());
    narrow(&asks, &policy).unwrap()
}

fn given(wat: &str, export: &str, input: Value, grants: &Grants) -> Outcome {
    let links = SandboxLinks { config: Link::Granted, ..SandboxLinks::default() };
    execute(Order { links, given: Given::from(grants), ..order(wat, export, input, limits()) })
}

#[test]
fn a_guest_sees_the_variables_that_were_granted_and_no_others() {
    assert!(std::env::vars().count() > 0, "there is something that must not be seen");
    let policy =
        json!({"env": [{"name": "LANG", "value": "pl\nPL"}, {"name": "EMPTY", "value": ""}, {"name": "PATH", "value": "/x"}]});
    let grants = grants(json!({"env": ["EMPTY", "LANG"]}), policy);
    let outcome = given(&environment(), "run", json!({}), &grants);
    assert_eq!(outcome.end, Ok(json!([["EMPTY", ""], ["LANG", "pl\nPL"]])));
    assert_eq!(run_wat(&environment(), limits()).end, Ok(json!([])));
}

#[test]
fn a_guest_reads_the_values_that_were_granted_and_no_others() {
    let policy = json!({"config": [
        {"name": "b", "value": "zażółć"}, {"name": "a.x", "value": -7}, {"name": "c", "value": true}, {"name": "d", "value": "no"},
    ]});
    let grants = grants(json!({"config": ["c", "b", "a.x"]}), policy);
    let all = given(&configuration(), "all", json!({}), &grants);
    assert_eq!(all.end, Ok(json!([["a.x", "-7"], ["b", "zażółć"], ["c", "true"]])), "in the order of their names");
    assert_eq!(all.resources.host_call_bytes.used, 2 + 10 + 4);
    for (key, value) in [("b", json!("zażółć")), ("a.x", json!("-7")), ("d", Value::Null), ("", Value::Null)] {
        assert_eq!(given(&configuration(), "run", json!({"key": key}), &grants).end, Ok(value), "{key}");
    }
    let absent = order(&configuration(), "all", json!({}), limits());
    fails(&execute(Order { given: Given::from(&grants), ..absent }), FailureCode::Link);
}

#[test]
fn reading_values_is_counted() {
    let grants = grants(json!({"config": ["a"]}), json!({"config": [{"name": "a", "value": "x".repeat(1000)}]}));
    let links = SandboxLinks { config: Link::Granted, ..SandboxLinks::default() };
    let limits = Limits { host_call_bytes: 999, ..limits() };
    let order = Order { links, given: Given::from(&grants), ..order(&configuration(), "run", json!({"key": "a"}), limits) };
    fails(&execute(order), FailureCode::HostCalls);
}

/// Logs `context` and `message` as often as it is told.
fn logging() -> String {
    format!(
        r#"(component
        (import "wasi:logging/logging@0.1.0-draft" (instance $host
            (type $l (enum "trace" "debug" "info" "warn" "error" "critical"))
            (export "level" (type $level (eq $l)))
            (export "log" (func (param "level" $level) (param "context" string) (param "message" string)))))
        {MEMORY}
        (core func $log (canon lower (func $host "log") (memory $memory "memory")))
        (core module $m
            (import "host" "log" (func $log (param i32 i32 i32 i32 i32)))
            (func (export "run") (param $context i32) (param $c i32) (param $message i32) (param $m i32) (param $times i32)
                (loop $again
                    (call $log (i32.const 3) (local.get $context) (local.get $c) (local.get $message) (local.get $m))
                    (local.set $times (i32.sub (local.get $times) (i32.const 1)))
                    (br_if $again (i32.gt_s (local.get $times) (i32.const 0))))))
        (core instance $i (instantiate $m (with "host" (instance (export "log" (func $log))))))
        (func (export "run") (param "context" string) (param "message" string) (param "times" u32)
            (canon lift (core func $i "run") (memory $memory "memory") (realloc (func $memory "realloc")))))"#
    )
}

fn log(context: &str, message: &str, times: u32, limits: Limits) -> Outcome {
    execute(order(&logging(), "run", json!({"context": context, "message": message, "times": times}), limits))
}

#[test]
fn what_a_guest_logs_is_kept_inert_and_counted_as_output() {
    let outcome = log("net", "a\x1b]52;c;aGk=\x07\nb\u{202e}", 2, limits());
    let line = Line { level: Level::Warn, context: "net".into(), message: "a\\u{1b}]52;c;aGk=\\u{7}\nb\\u{202e}".into() };
    assert_eq!(outcome.log, [line.clone(), line]);
    assert_eq!(outcome.resources.output_bytes.used, 2 * (3 + 18 + 1) + 4, "the lines and the result, which is null");
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", ""));
}

#[test]
fn a_flood_of_lines_ends_at_the_limits() {
    let outcome = log("", &"x".repeat(1000), u32::MAX >> 1, limits());
    fails(&outcome, FailureCode::Output);
    assert!(outcome.log.len() == 1047 && outcome.resources.output_bytes.used <= limits().output_bytes);
    // Empty lines cost too.
    fails(&log("", "", u32::MAX >> 1, Limits { output_bytes: 100, ..limits() }), FailureCode::Output);
    fails(&log("", "", u32::MAX >> 1, Limits { host_calls: 50, ..limits() }), FailureCode::HostCalls);
}

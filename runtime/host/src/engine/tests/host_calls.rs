//! Guests that flood the host: with calls, with bytes, with handles.

use super::*;

const NOW: (&str, &str, &str, &str) = ("wasi:clocks/monotonic-clock@0.2.3", "now", "(result u64)", "(result i64)");

fn clock(body: &str) -> String {
    with_import(NOW.0, NOW.1, NOW.2, NOW.3, body)
}

#[test]
fn a_flood_of_calls() {
    let outcome = run_wat(&clock(r#"(func $flood (export "run") (loop (drop (call $host)) (br 0)))"#), limits());
    let failure = fails(&outcome, FailureCode::HostCalls);
    assert_eq!(failure.backtrace, ["flood"]);
    assert_eq!(outcome.resources.host_calls.used, outcome.resources.host_calls.allowed + 1);
}

#[test]
fn the_last_call_counts_too() {
    let limits = Limits { host_calls: 2, ..limits() };
    let calls = |count: usize| clock(&format!(r#"(func (export "run") {})"#, "(drop (call $host))".repeat(count)));
    assert_eq!(run_wat(&calls(2), limits.clone()).end, Ok(Value::Null));
    fails(&run_wat(&calls(3), limits), FailureCode::HostCalls);
}

#[test]
fn work_of_the_engine_is_no_host_call() {
    let limits = Limits { host_calls: 0, ..limits() };
    let wat = alone(
        r#"(memory 2) (func (export "run") (local $i i32) (loop $again
            (memory.copy (i32.const 0) (i32.const 65536) (i32.const 65536))
            (memory.fill (i32.const 0) (i32.const 1) (i32.const 65536))
            (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))"#,
    );
    let outcome = run_wat(&wat, limits);
    assert_eq!((outcome.end, outcome.resources.host_calls.used), (Ok(Value::Null), 0));
}

#[test]
fn host_calls_charge_fuel() {
    let body = r#"(func (export "run") (drop (call $host)) (drop (call $host)) (drop (call $host)))"#;
    let outcome = run_wat(&clock(body), Limits { fuel: Some(1_000_000), ..limits() });
    assert_eq!(outcome.end, Ok(Value::Null));
    let used = outcome.resources.fuel.unwrap().used;
    assert!((3_000..4_000).contains(&used), "{used}");
    let outcome = run_wat(&clock(body), Limits { fuel: Some(2_500), ..limits() });
    fails(&outcome, FailureCode::Fuel);
    assert_eq!(outcome.resources.fuel.unwrap().used, 2_500);
}

fn random(length: &str, body: &str) -> String {
    let call = format!("(call $host (i64.const {length}) (i32.const 0))");
    with_import(
        "wasi:random/random@0.2.0",
        "get-random-bytes",
        "(param \"len\" u64) (result (list u8))",
        "(param i64 i32)",
        &body.replace("CALL", &call),
    )
}

#[test]
fn too_many_random_bytes_at_once_or_in_all() {
    let once = r#"(func (export "run") CALL)"#;
    fails(&run_wat(&random("65537", once), limits()), FailureCode::HostCalls);
    fails(&run_wat(&random("-1", once), limits()), FailureCode::HostCalls);
    let outcome = run_wat(&random("65536", once), limits());
    assert_eq!((outcome.end, outcome.resources.host_call_bytes.used), (Ok(Value::Null), 65536));
    let limits = Limits { host_call_bytes: 1 << 20, ..limits() };
    let outcome = run_wat(&random("65536", r#"(func (export "run") (loop CALL (br 0)))"#), limits);
    fails(&outcome, FailureCode::HostCalls);
    assert_eq!(outcome.resources.host_calls.used, 17);
}

#[test]
fn a_flood_of_resources_and_handles() {
    let wat = r#"(component $C
        (import "wasi:io/streams@0.2.0" (instance $streams (export "input-stream" (type $s (sub resource)))))
        (alias export $streams "input-stream" (type $stream))
        (import "wasi:cli/stdin@0.2.0" (instance $stdin
            (alias outer $C $stream (type $s))
            (export "get-stdin" (func (result (own $s))))))
        (core func $open (canon lower (func $stdin "get-stdin")))
        (core func $drop (canon resource.drop $stream))
        (core module $m
            (import "host" "open" (func $open (result i32)))
            (import "host" "drop" (func $drop (param i32)))
            (func (export "keep") (loop (drop (call $open)) (br 0)))
            (func (export "polite") (local $i i32) (loop $again
                (call $drop (call $open))
                (br_if $again (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 5000))))))
        (core instance $i (instantiate $m (with "host" (instance
            (export "open" (func $open)) (export "drop" (func $drop))))))
        (func (export "keep") (canon lift (core func $i "keep")))
        (func (export "polite") (canon lift (core func $i "polite"))))"#;
    fails(&execute(order(wat, "keep", json!({}), limits())), FailureCode::Handles);
    let polite = execute(order(wat, "polite", json!({}), limits()));
    assert_eq!((polite.end, polite.resources.host_calls.used), (Ok(Value::Null), 10_000));
}

#[test]
fn a_flood_of_the_guests_own_handles() {
    let wat = r#"(component
        (core module $none)
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core module $m
            (import "host" "new" (func $new (param i32) (result i32)))
            (func (export "run") (loop (drop (call $new (i32.const 1))) (br 0))))
        (core instance $i (instantiate $m (with "host" (instance (export "new" (func $new))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    fails(&run_wat(wat, limits()), FailureCode::Handles);
}

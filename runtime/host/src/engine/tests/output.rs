//! Guests that give out too much: as a result, as an error, on standard output; and values beyond their bounds.

use super::*;

/// A guest that writes `length` bytes at `at` to standard output `times` times, by one write for each.
fn writer(data: &str, length: usize, forever: bool) -> String {
    let again = if forever { "(br 0)" } else { "" };
    format!(
        r#"(component $C
        (import "wasi:io/error@0.2.0" (instance $error (export "error" (type (sub resource)))))
        (alias export $error "error" (type $err))
        (import "wasi:io/streams@0.2.0" (instance $streams
            (export "output-stream" (type $o (sub resource)))
            (alias outer $C $err (type $e))
            (type $failed (variant (case "last-operation-failed" (own $e)) (case "closed")))
            (export "stream-error" (type $se (eq $failed)))
            (export "[method]output-stream.write"
                (func (param "self" (borrow $o)) (param "contents" (list u8)) (result (result (error $se)))))))
        (alias export $streams "output-stream" (type $stream))
        (import "wasi:cli/stdout@0.2.0" (instance $stdout
            (alias outer $C $stream (type $o))
            (export "get-stdout" (func (result (own $o))))))
        (core module $memory (memory (export "memory") 48) (data (i32.const 1024) "{data}"))
        (core instance $memory (instantiate $memory))
        (core func $open (canon lower (func $stdout "get-stdout")))
        (core func $write (canon lower (func $streams "[method]output-stream.write") (memory $memory "memory")))
        (core module $m
            (import "host" "open" (func $open (result i32)))
            (import "host" "write" (func $write (param i32 i32 i32 i32)))
            (func $loud (export "run") (local $stream i32)
                (local.set $stream (call $open))
                (loop (call $write (local.get $stream) (i32.const 1024) (i32.const {length}) (i32.const 0)) {again})))
        (core instance $i (instantiate $m (with "host" (instance
            (export "open" (func $open)) (export "write" (func $write))))))
        (func (export "run") (canon lift (core func $i "run"))))"#
    )
}

#[test]
fn standard_output_comes_out_inert() {
    let outcome = run_wat(&writer("hi\\1b]52;c;aGk=\\07\\n", 15, false), limits());
    assert_eq!(outcome.end, Ok(Value::Null));
    assert_eq!(outcome.stdout, "hi\\u{1b}]52;c;aGk=\\u{7}\n");
    assert_eq!(outcome.resources.output_bytes.used, 15 + 4);
}

#[test]
fn a_flood_of_standard_output() {
    let outcome = run_wat(&writer("x", 4096, true), limits());
    let failure = fails(&outcome, FailureCode::Output);
    assert_eq!(failure.backtrace, ["loud"]);
    assert!(outcome.stdout.len() <= 6 << 20);
    assert_eq!(outcome.resources.host_calls.used, 1 + (1 << 20) / 4096 + 1);
    let once = run_wat(&writer("x", 3_000_000, false), limits());
    fails(&once, FailureCode::HostCalls);
}

/// Gives back a list whose elements are `size` bytes each, all zero.
fn lister(ty: &str, length: u64) -> String {
    format!(
        r#"(component
        (core module $m (memory (export "memory") 900)
            (func (export "run") (result i32)
                (i32.store (i32.const 16) (i32.const 1024))
                (i32.store (i32.const 20) (i32.const {length}))
                (i32.const 16)))
        (core instance $i (instantiate $m))
        (func (export "run") (result {ty}) (canon lift (core func $i "run") (memory $i "memory"))))"#
    )
}

#[test]
fn a_result_that_is_too_large() {
    for ty in ["string", "(list u8)"] {
        for length in [1_100_000, 3_000_000, 58_000_000] {
            let outcome = run_wat(&lister(ty, length), limits());
            fails(&outcome, FailureCode::Output);
        }
    }
    let outcome = run_wat(&lister("(list u8)", 700_000), limits());
    assert_eq!(outcome.resources.output_bytes.used, 933_338);
    assert!(outcome.end.is_ok());
}

#[test]
fn a_result_with_too_many_elements() {
    let roomy = Limits { output_bytes: 64 << 20, ..limits() };
    for length in [1_000_000, 1_500_000, 12_000_000] {
        fails(&run_wat(&lister("(list u32)", length), roomy.clone()), FailureCode::Value);
    }
    assert!(run_wat(&lister("(list u32)", 999_999), roomy).end.is_ok());
}

#[test]
fn a_result_that_is_nested_too_deeply() {
    // The input object is a level of its own.
    let limits = |depth| Limits { depth, ..limits() };
    let nested = |depth: usize| format!("{}u8{}", "(list (option ".repeat(depth), "))".repeat(depth));
    let value = |depth: usize| (1..depth).fold(json!([7]), |inner, _| json!([inner]));
    assert_eq!(echo(&nested(3), value(3), limits(4)).end, Ok(value(3)));
    let failure = fails(&echo(&nested(4), value(4), limits(4)), FailureCode::Value);
    assert_eq!(failure.message, "the input at /value/0/0/0: nested more than 4 deep");
    // The tool gives a deep value by itself.
    let wat = r#"(component
        (core module $m (func (export "run") (result i32) (i32.const 7)))
        (core instance $i (instantiate $m))
        (func (export "run") (result (tuple (tuple (tuple (tuple u32))))) (canon lift (core func $i "run"))))"#;
    let failure = fails(&run_wat(wat, limits(3)), FailureCode::Value);
    assert_eq!(failure.message, "the result at /0/0/0: nested more than 3 deep");
}

#[test]
fn an_input_that_is_too_large_or_does_not_fit() {
    let limits = Limits { input_bytes: 100, ..limits() };
    fails(&echo("string", json!("x".repeat(100)), limits.clone()), FailureCode::Value);
    let failure = fails(&echo("string", json!(1), limits), FailureCode::Value);
    assert_eq!(failure.message, "the input at /value: a string is wanted, not a number");
}

#[test]
fn an_error_value_counts_as_output() {
    let wat = |length: u64| {
        format!(
            r#"(component
            (core module $m (memory (export "memory") 32)
                (func (export "run") (result i32)
                    (i32.store8 (i32.const 16) (i32.const 1))
                    (i32.store (i32.const 20) (i32.const 1024))
                    (i32.store (i32.const 24) (i32.const {length}))
                    (i32.const 16)))
            (core instance $i (instantiate $m))
            (func (export "run") (result (result u32 (error string))) (canon lift (core func $i "run") (memory $i "memory"))))"#
        )
    };
    let failure = fails(&run_wat(&wat(2), limits()), FailureCode::Skill);
    assert_eq!(failure.error.as_deref(), Some(&json!("\0\0")));
    fails(&run_wat(&wat(1_050_000), limits()), FailureCode::Output);
}

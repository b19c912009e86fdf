//! The other ways in which a run ends: what is not there, what is not compiled, a recursion.

use super::*;

#[test]
fn recursion_without_end() {
    let outcome = run_wat(&hostile("stack-recursion"), limits());
    let failure = fails(&outcome, FailureCode::Stack);
    assert!(failure.backtrace.len() <= 32 && failure.backtrace.iter().all(|name| name == "down"));
}

#[test]
fn what_is_not_there() {
    let plain = alone(r#"(func (export "run"))"#);
    for export in ["walk", "", "#", "run#run", "a:b/c@1.0.0#run"] {
        fails(&execute(order(&plain, export, json!({}), limits())), FailureCode::Link);
    }
}

#[test]
fn functions_of_exported_interfaces() {
    let wat = r#"(component
        (core module $m (func (export "run") (result i32) (i32.const 42)))
        (core instance $i (instantiate $m))
        (func $f (result u32) (canon lift (core func $i "run")))
        (instance $tools (export "answer" (func $f)))
        (export "acme:tools/api@1.2.3" (instance $tools)))"#;
    assert_eq!(execute(order(wat, "acme:tools/api@1.2.3#answer", json!({}), limits())).end, Ok(json!(42)));
    fails(&execute(order(wat, "acme:tools/api#question", json!({}), limits())), FailureCode::Link);
    fails(&execute(order(wat, "acme:tools/api@1.2.3", json!({}), limits())), FailureCode::Link);
}

#[test]
fn precompiled_code_is_never_taken_for_a_component() {
    let engine = wasmtime::Engine::default();
    let code = engine.precompile_component(&bytes(&alone(r#"(func (export "run"))"#))).unwrap();
    assert!(matches!(try_prepare(&code.into(), false), Err(PrepareError::Refused(_))));
}

#[test]
fn other_bytes_than_the_digest_names_are_not_prepared() {
    let (one, two) = (bytes(&alone(r#"(func (export "run"))"#)), bytes(&alone(r#"(func (export "run") nop nop)"#)));
    let result = engines().prepare(&two, Digest::of(b"something else"), false, &mut |_| {});
    assert_eq!(
        result.unwrap_err(),
        PrepareError::DigestMismatch { expected: Digest::of(b"something else"), found: Digest::of(&two) }
    );
    assert_ne!(one, two);
}

#[test]
fn a_component_that_is_too_large_is_not_parsed() {
    let huge: Arc<[u8]> = vec![0; 64 * 1024 * 1024 + 1].into();
    assert_eq!(
        engines().prepare(&huge, Digest::of(b""), false, &mut |_| {}).unwrap_err(),
        PrepareError::TooLarge(64 * 1024 * 1024 + 1)
    );
}

//! The other ways in which a run ends: traps, exits, what cannot be linked, what cannot be compiled.

use super::*;

#[test]
fn a_trap_names_its_functions() {
    let wat = alone(
        r#"(func $inner unreachable)
        (func $_ZN4core9panicking5panic17h0123456789abcdefE (call $inner))
        (func $outer (export "run") (call $_ZN4core9panicking5panic17h0123456789abcdefE))"#,
    );
    let failure = fails(&run_wat(&wat, limits()), FailureCode::Trap);
    assert_eq!(failure.message, "wasm trap: wasm `unreachable` instruction executed");
    assert_eq!(failure.backtrace, ["inner", "core::panicking::panic", "outer"]);
}

#[test]
fn names_of_functions_are_made_inert() {
    let wat = alone("(func $f (@name \"a\\1b[31m\\0ab\") (export \"run\") unreachable)");
    let failure = fails(&run_wat(&wat, limits()), FailureCode::Trap);
    assert!(failure.backtrace.iter().all(|name| !name.contains(['\u{1b}', '\n'])), "{failure:?}");
}

#[test]
fn traps_of_every_kind() {
    for body in [
        "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
        "(drop (i32.load (i32.const -4)))",
        "(call_indirect (type 0) (i32.const 9))",
        "(drop (i32.trunc_f32_s (f32.const nan)))",
    ] {
        let wat = alone(&format!(r#"(memory 1) (table 1 funcref) (func (export "run") {body})"#));
        fails(&run_wat(&wat, limits()), FailureCode::Trap);
    }
    // A trap while the component is instantiated is the guest's too.
    fails(&run_wat(&alone(r#"(func $s unreachable) (start $s) (func (export "run"))"#), limits()), FailureCode::Trap);
}

#[test]
fn a_pointer_out_of_its_memory() {
    let wat = r#"(component
        (core module $m (memory (export "memory") 1) (func (export "run") (result i32) (i32.const 2147483644)))
        (core instance $i (instantiate $m))
        (func (export "run") (result string) (canon lift (core func $i "run") (memory $i "memory"))))"#;
    fails(&run_wat(wat, limits()), FailureCode::Trap);
}

#[test]
fn an_exit_is_no_result() {
    let exit = |status: u8| {
        with_import(
            "wasi:cli/exit@0.2.0",
            "exit",
            "(param \"status\" (result))",
            "(param i32)",
            &format!(r#"(func (export "run") (call $host (i32.const {status})))"#),
        )
    };
    for status in [0, 1] {
        let failure = fails(&run_wat(&exit(status), limits()), FailureCode::Exit);
        assert_eq!(failure.message, format!("the skill called exit with status {status}"));
    }
}

#[test]
fn what_is_not_linked_or_not_there() {
    let import = with_import("wasi:filesystem/preopens@0.2.0", "get-directories", "", "", r#"(func (export "run"))"#);
    let failure = fails(&run_wat(&import, limits()), FailureCode::Link);
    assert!(failure.message.contains("wasi:filesystem/preopens@0.2.0"), "{}", failure.message);
    let unknown = with_import("evil:host/shell@1.0.0", "run", "", "", r#"(func (export "run"))"#);
    fails(&run_wat(&unknown, limits()), FailureCode::Link);

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
fn a_guest_that_breaks_the_rules_of_reentry_and_borrowing() {
    // A borrowed handle that is kept beyond its call.
    let wat = r#"(component
        (type $r (resource (rep i32)))
        (core func $new (canon resource.new $r))
        (core func $drop (canon resource.drop $r))
        (core module $m
            (import "host" "new" (func $new (param i32) (result i32)))
            (import "host" "drop" (func $drop (param i32)))
            (func (export "run") (local $h i32)
                (local.set $h (call $new (i32.const 5)))
                (call $drop (local.get $h)) (call $drop (local.get $h))))
        (core instance $i (instantiate $m (with "host" (instance
            (export "new" (func $new)) (export "drop" (func $drop))))))
        (func (export "run") (canon lift (core func $i "run"))))"#;
    fails(&run_wat(wat, limits()), FailureCode::Trap);
}

#[test]
fn bytes_that_are_no_component_are_refused() {
    let refused = |bytes: &[u8]| try_prepare(&Arc::from(bytes), false).unwrap_err();
    let module = wat::parse_str("(module)").unwrap();
    for bytes in [&[][..], b"\0asm", b"\x7fELF", &module, &wat::parse_str("(component)").unwrap()[..7]] {
        assert!(matches!(refused(bytes), PrepareError::Refused(_)), "{bytes:?}");
    }
    alive();
}

#[test]
fn features_that_are_off_are_refused() {
    let mut tried = 0;
    for body in [
        "(memory i64 1)",
        "(memory 1 1 shared)",
        "(func (param f32x4) unreachable)",
        "(type (struct))",
        "(tag)",
        "(func (param i64 i64 i64 i64) (result i64 i64) (i64.add128 (local.get 0) (local.get 1) (local.get 2) (local.get 3)))",
        "(func (drop (i8x16.relaxed_swizzle (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
        "(memory 1 (pagesize 1))",
    ] {
        let Ok(component) = wat::parse_str(alone(&format!(r#"{body} (func (export "run"))"#))) else { continue };
        assert!(matches!(try_prepare(&component.into(), false), Err(PrepareError::Refused(_))), "{body}");
        tried += 1;
    }
    assert!(tried >= 6, "only {tried} of the texts could be parsed");
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

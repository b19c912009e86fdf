//! Guests that take more than their memory: by one memory, by many, by tables, by stack, by instances.

use super::*;

const MIB: u64 = 1 << 20;

fn small() -> Limits {
    Limits { memory_bytes: 4 * MIB, ..limits() }
}

fn too_much(wat: &str) -> Failure {
    let outcome = run_wat(wat, small());
    assert!(outcome.resources.memory_peak_bytes.used <= 4 * MIB);
    fails(&outcome, FailureCode::Memory)
}

const GROW: &str = "(loop (drop (memory.grow (i32.const 1))) (br 0))";

#[test]
fn one_memory_that_grows() {
    let failure = too_much(&alone(&format!(r#"(memory 1) (func $hungry (export "run") {GROW})"#)));
    assert_eq!(failure.backtrace, ["hungry"]);
    assert!(failure.message.contains("4194304"), "{}", failure.message);
}

#[test]
fn a_memory_that_is_too_large_from_the_start() {
    too_much(&alone(r#"(memory 65) (func (export "run"))"#));
    let fits = run_wat(&alone(r#"(memory 64) (func (export "run"))"#), small());
    assert_eq!(fits.end, Ok(Value::Null));
    assert_eq!(fits.resources.memory_peak_bytes.used, 4 * MIB);
}

#[test]
fn a_jump_to_four_gibibytes() {
    too_much(&alone(r#"(memory 1) (func (export "run") (drop (memory.grow (i32.const 65535))))"#));
}

#[test]
fn growth_beyond_its_own_maximum_is_refused_as_the_specification_says() {
    let wat = alone(
        r#"(memory 1 2) (func (export "run")
            (if (i32.ne (memory.grow (i32.const 100)) (i32.const -1)) (then unreachable)))"#,
    );
    assert_eq!(run_wat(&wat, small()).end, Ok(Value::Null));
}

#[test]
fn several_memories_of_several_instances_count_together() {
    // Each of three instances stays far below the limit by itself.
    too_much(
        r#"(component
        (core module $part (memory 1)
            (func $grow (drop (memory.grow (i32.const 23)))) (start $grow))
        (core instance (instantiate $part))
        (core instance (instantiate $part))
        (core instance (instantiate $part))
        (core module $m (func (export "run")))
        (core instance $i (instantiate $m))
        (func (export "run") (canon lift (core func $i "run"))))"#,
    );
    too_much(&alone(
        r#"(memory $a 1) (memory $b 1) (memory $c 1)
        (func (export "run")
            (drop (memory.grow $a (i32.const 23))) (drop (memory.grow $b (i32.const 23))) (drop (memory.grow $c (i32.const 23))))"#,
    ));
}

#[test]
fn tables_count_too() {
    let grow = |by: &str| {
        alone(&format!(
            r#"(table 1 funcref) (func (export "run") (loop
                (drop (table.grow (ref.null func) (i32.const {by}))) (br 0)))"#
        ))
    };
    too_much(&grow("1000"));
    too_much(&grow("-2"));
    // 2^32 elements are beyond what a table can have at all: refused as the specification says.
    let beyond = r#"(table 1 funcref) (func (export "run")
        (if (i32.ne (table.grow (ref.null func) (i32.const -1)) (i32.const -1)) (then unreachable)))"#;
    assert_eq!(run_wat(&alone(beyond), small()).end, Ok(Value::Null));
    too_much(&alone(r#"(table 1000000 funcref) (func (export "run"))"#));
    // Memory and tables share the limit: 3 MiB and 2 MiB.
    too_much(&alone(r#"(memory 48) (table 262144 funcref) (func (export "run"))"#));
}

#[test]
fn recursion_without_end() {
    let outcome = run_wat(&alone(r#"(func $down (export "run") (call $down) (call $down))"#), limits());
    let failure = fails(&outcome, FailureCode::Stack);
    assert!(failure.backtrace.len() <= 32 && failure.backtrace.iter().all(|name| name == "down"));
}

#[test]
fn more_instances_memories_or_tables_than_allowed() {
    let instances = format!(
        r#"(component (core module $m (func (export "run"))) {} (core instance $i (instantiate $m))
            (func (export "run") (canon lift (core func $i "run"))))"#,
        "(core instance (instantiate $m))".repeat(16)
    );
    too_much(&instances);
    too_much(&alone(&format!(r#"{} (func (export "run"))"#, "(memory 0)".repeat(17))));
    too_much(&alone(&format!(r#"{} (func (export "run"))"#, "(table 0 funcref)".repeat(5))));
}

#[test]
fn nothing_of_one_run_is_seen_by_the_next() {
    let wat = r#"(component
        (core module $m (memory 16) (func (export "run") (result i32)
            (local $seen i32)
            (local.set $seen (i32.or (i32.load (i32.const 0)) (i32.load (i32.const 1000000))))
            (memory.fill (i32.const 0) (i32.const 0xAA) (i32.const 1048576))
            (local.get $seen)))
        (core instance $i (instantiate $m))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))"#;
    for _ in 0..20 {
        assert_eq!(run_wat(wat, limits()).end, Ok(json!(0)));
    }
}

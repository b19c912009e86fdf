//! Skills that call other skills, and skills to be called, written as text.

use skillhall_core::package::Package;

use crate::skills::{SPIN, TRAP, assemble, component, source_of};

/// A skill `org.skillhall/<name>` that asks for these skills, each with its versions, and has these lines behind its head.
///
/// Each tool takes a skill, a tool and an input, and gives what the call gave, be it a result or an error: `call` calls once;
/// `again` calls, waits 1.5 s, and calls again; `flood` calls until it is stopped. Its own memory is exactly 1 MiB.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn caller(name: &str, asks: &[(&str, &str)], lines: &str) -> Package {
    let asks: Vec<String> =
        asks.iter().map(|(skill, version)| format!("{{ skill = \"{skill}\", version = \"{version}\" }}")).collect();
    let toml = source_of(name, &format!("{lines}\n[capabilities]\ntools = [{}]\n", asks.join(", ")));
    assemble(&toml, component(CALLER), None).expect("the calling skill is built")
}

/// A skill `org.skillhall/<name>` in this version that traps.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn falling(name: &str, version: &str) -> Package {
    let toml = source_of(name, "").replace("1.0.0", version);
    assemble(&toml, component(TRAP), None).expect("the falling skill is built")
}

/// A skill `org.skillhall/<name>` that runs until it is stopped, with these lines behind its head.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn spinning(name: &str, lines: &str) -> Package {
    assemble(&source_of(name, lines), component(SPIN), None).expect("the spinning skill is built")
}

/// A skill `org.skillhall/hog`: `grow` takes so many pages of 64 KiB; `tell` gives a text of so many bytes.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn hog() -> Package {
    assemble(&source_of("hog", ""), component(HOG), None).expect("the greedy skill is built")
}

const CALLER: &str = r#"(component $C
    (import "skillhall:tools/call@0.1.0" (instance $tools
        (type $d (record (field "code" string) (field "message" string) (field "hint" string)))
        (export "denial" (type $denial (eq $d)))
        (type $f (record (field "code" string) (field "message" string)))
        (export "failure" (type $failure (eq $f)))
        (type $r (enum "undeclared" "cycle" "too-deep" "budget" "unavailable"))
        (export "refusal" (type $refusal (eq $r)))
        (type $e (variant (case "denied" $denial) (case "failed" $failure) (case "skill" string) (case "refused" $refusal)))
        (export "error" (type $error (eq $e)))
        (export "call" (func (param "skill" string) (param "tool" string) (param "input" string)
            (result (result string (error $error)))))))
    (alias export $tools "error" (type $error))
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer $C $pollable (type $p))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core module $memory
        (memory (export "memory") 16 16)
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (local $at i32)
            (local.set $at (i32.and
                (i32.add (global.get $next) (i32.sub (local.get 2) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get 2))))
            (global.set $next (i32.add (local.get $at) (local.get 3)))
            (local.get $at)))
    (core instance $memory (instantiate $memory))
    (core func $call (canon lower (func $tools "call") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $subscribe (canon lower (func $clock "subscribe-duration")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core module $m
        (import "host" "call" (func $host (param i32 i32 i32 i32 i32 i32 i32)))
        (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "host" "block" (func $block (param i32)))
        (func $call (export "call") (param i32 i32 i32 i32 i32 i32) (result i32)
            (call $host (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (i32.const 64))
            (i32.const 64))
        (func (export "again") (param i32 i32 i32 i32 i32 i32) (result i32)
            (drop (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
            (call $block (call $subscribe (i64.const 1500000000)))
            (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
        (func (export "flood") (param i32 i32 i32 i32 i32 i32) (result i32)
            (loop $more
                (drop (call $call (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
                (br $more))
            (unreachable)))
    (core instance $i (instantiate $m (with "host" (instance
        (export "call" (func $call)) (export "subscribe" (func $subscribe)) (export "block" (func $block))))))
    (func (export "call") (param "skill" string) (param "tool" string) (param "input" string) (result (result string (error $error)))
        (canon lift (core func $i "call") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (func (export "again") (param "skill" string) (param "tool" string) (param "input" string) (result (result string (error $error)))
        (canon lift (core func $i "again") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (func (export "flood") (param "skill" string) (param "tool" string) (param "input" string) (result (result string (error $error)))
        (canon lift (core func $i "flood") (memory $memory "memory") (realloc (func $memory "realloc")))))"#;

const HOG: &str = r#"(component
    (core module $m
        (memory (export "memory") 16)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
        (func (export "tell") (param i32) (result i32)
            (memory.fill (i32.const 1024) (i32.const 120) (local.get 0))
            (i32.store (i32.const 16) (i32.const 1024))
            (i32.store (i32.const 20) (local.get 0))
            (i32.const 16)))
    (core instance $i (instantiate $m))
    (func (export "grow") (param "pages" u32) (result s32) (canon lift (core func $i "grow")))
    (func (export "tell") (param "bytes" u32) (result string) (canon lift (core func $i "tell") (memory $i "memory"))))"#;

//! Skills to test with: the real one, as it is kept in fixtures, and small ones written as text.

use std::collections::BTreeMap;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use skillhall_core::denial::Denial;
use skillhall_core::package::wit::Docs;
use skillhall_core::package::{Package, build, layout, source};

use crate::files::{bytes, put, repository, text};

/// The real skill in the version that is kept.
pub const REDACT: &str = "org.skillhall/redact@1.0.0";

/// The real skill's component.
#[must_use]
pub fn redact_component() -> Vec<u8> {
    bytes(&repository("fixtures/skills/redact/component.wasm"))
}

/// The real skill's skill.toml.
#[must_use]
pub fn redact_toml() -> String {
    text(&repository("examples/redact/skill.toml"))
}

/// The real skill as a package, built with this skill.toml.
///
/// # Errors
/// The denial of a build that is refused.
pub fn redact_as(toml: &str) -> Result<Package, Denial> {
    let wit = text(&repository("examples/redact/wit/redact.wit"));
    let docs = Docs::read(&BTreeMap::from([("redact.wit".to_owned(), wit)])).expect("the skill's WIT is read");
    assemble(toml, redact_component(), Some(&docs))
}

/// The real skill as a package.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn redact() -> Package {
    redact_as(&redact_toml()).expect("the real skill is built")
}

/// The skill that describes tables, as a package.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn csv_stats() -> Package {
    let wit = text(&repository("examples/csv-stats/wit/csv-stats.wit"));
    let docs = Docs::read(&BTreeMap::from([("csv-stats.wit".to_owned(), wit)])).expect("the skill's WIT is read");
    let toml = text(&repository("examples/csv-stats/skill.toml"));
    let component = bytes(&repository("fixtures/skills/csv-stats/component.wasm"));
    assemble(&toml, component, Some(&docs)).expect("the skill is built")
}

/// A skill `org.skillhall/spin` that runs until it is stopped, for at most a minute.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn spin() -> Package {
    let toml = source_of("spin", "[limits]\ntime = \"60s\"\n");
    assemble(&toml, component(SPIN), None).expect("the spinning skill is built")
}

/// A component from its text.
///
/// # Panics
/// If the text is none.
#[must_use]
pub fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the component's text is right")
}

/// A skill.toml of `org.skillhall/<name>@1.0.0` with these lines behind its head.
#[must_use]
pub fn source_of(name: &str, lines: &str) -> String {
    format!(
        "[skill]\nnamespace = \"org.skillhall\"\nname = \"{name}\"\nversion = \"1.0.0\"\nsummary = \"A skill for tests\"\n\
         policy_tier = 0\ncomponent = \"component.wasm\"\n{lines}"
    )
}

/// Never returns.
pub const SPIN: &str = r#"(component
    (core module $m (func (export "spin") (loop $again (br $again))))
    (core instance $i (instantiate $m))
    (func (export "spin") (canon lift (core func $i "spin"))))"#;

/// Imports something of wasi:http.
pub const HTTP: &str = r#"(component
    (import "wasi:http/outgoing-handler@0.2.4" (instance (export "ping" (func))))
    (core module $m (func (export "fetch")))
    (core instance $i (instantiate $m))
    (func (export "fetch") (canon lift (core func $i "fetch"))))"#;

/// Traps.
pub const TRAP: &str = r#"(component
    (core module $m (func (export "fall") (unreachable)))
    (core instance $i (instantiate $m))
    (func (export "fall") (canon lift (core func $i "fall"))))"#;

/// Builds a package.
///
/// # Errors
/// The denial of a build that is refused.
///
/// # Panics
/// If the skill.toml is none.
pub fn assemble(toml: &str, component: Vec<u8>, docs: Option<&Docs>) -> Result<Package, Denial> {
    let source = source::parse(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    build::assemble(&source, component, docs, BTreeMap::new(), BTreeMap::new())
}

/// Writes a package as a folder.
///
/// # Panics
/// If it cannot be written.
pub fn write(package: &Package, parent: &Path, name: &str) {
    let parent = Dir::open_ambient_dir(parent, ambient_authority()).expect("the folder can be opened");
    layout::write(package, &parent, name).expect("the package can be written");
}

/// Writes the source of a skill: skill.toml, and the component where skill.toml says it is.
///
/// # Panics
/// If it cannot be written.
pub fn write_source(folder: &Path, toml: &str, component: &[u8]) {
    let source = source::parse(toml).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    put(&folder.join("skill.toml"), toml.as_bytes());
    put(&folder.join(&source.component), component);
}

/// A skill `org.skillhall/wait` that waits on the host's clock for as many nanoseconds as it is told, for at most a minute.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn wait() -> Package {
    let toml = source_of("wait", "[limits]\ntime = \"60s\"\n");
    assemble(&toml, component(WAIT), None).expect("the waiting skill is built")
}

/// Waits on the host's clock.
pub const WAIT: &str = r#"(component $C
    (import "wasi:io/poll@0.2.0" (instance $poll
        (export "pollable" (type $p (sub resource)))
        (export "[method]pollable.block" (func (param "self" (borrow $p))))))
    (alias export $poll "pollable" (type $pollable))
    (import "wasi:clocks/monotonic-clock@0.2.0" (instance $clock
        (alias outer $C $pollable (type $p))
        (export "subscribe-duration" (func (param "when" u64) (result (own $p))))))
    (core func $subscribe (canon lower (func $clock "subscribe-duration")))
    (core func $block (canon lower (func $poll "[method]pollable.block")))
    (core module $m
        (import "host" "subscribe" (func $subscribe (param i64) (result i32)))
        (import "host" "block" (func $block (param i32)))
        (func (export "wait") (param i64) (call $block (call $subscribe (local.get 0)))))
    (core instance $i (instantiate $m (with "host" (instance
        (export "subscribe" (func $subscribe)) (export "block" (func $block))))))
    (func (export "wait") (param "nanos" u64) (canon lift (core func $i "wait"))))"#;

/// A skill `org.skillhall/count` that asks for the store `visits`. `count` adds one to a key and gives the sum; `fill` sets a value
/// of so many bytes; `other` opens another store. What is refused gives -1.
///
/// # Panics
/// If it cannot be built.
#[must_use]
pub fn count() -> Package {
    let toml = source_of("count", "[capabilities]\nkeyvalue = [\"visits\"]\n");
    assemble(&toml, component(COUNT), None).expect("the counting skill is built")
}

/// Keeps a number in a store.
pub const COUNT: &str = r#"(component
    (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
        (export "bucket" (type $bucket (sub resource)))
        (type $e (variant (case "no-such-store") (case "access-denied") (case "other" string)))
        (export "error" (type $error (eq $e)))
        (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))
        (export "[method]bucket.set" (func (param "self" (borrow $bucket)) (param "key" string) (param "value" (list u8))
            (result (result (error $error)))))))
    (alias export $store "bucket" (type $bucket))
    (alias export $store "error" (type $error))
    (import "wasi:keyvalue/atomics@0.2.0-draft2" (instance $atomics
        (export "increment" (func (param "bucket" (borrow $bucket)) (param "key" string) (param "delta" s64)
            (result (result s64 (error $error)))))))
    (core module $memory (memory (export "memory") 4)
        (data (i32.const 0) "visits")
        (data (i32.const 8) "other")
        (global $next (mut i32) (i32.const 1024))
        (func (export "realloc") (param i32 i32 i32 i32) (result i32)
            (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 3)))))
    (core instance $memory (instantiate $memory))
    (core func $open (canon lower (func $store "open") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $set (canon lower (func $store "[method]bucket.set") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core func $increment (canon lower (func $atomics "increment")
        (memory $memory "memory") (realloc (func $memory "realloc"))))
    (core module $m
        (import "host" "open" (func $open (param i32 i32 i32)))
        (import "host" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
        (import "host" "increment" (func $increment (param i32 i32 i32 i64 i32)))
        (import "memory" "memory" (memory 1))
        (func $visits (result i32)
            (call $open (i32.const 0) (i32.const 6) (i32.const 16))
            (i32.load8_u (i32.const 16)))
        (func (export "count") (param i32 i32) (result i64)
            (if (call $visits) (then (return (i64.const -1))))
            (call $increment (i32.load (i32.const 20)) (local.get 0) (local.get 1) (i64.const 1) (i32.const 32))
            (if (i32.load8_u (i32.const 32)) (then (return (i64.const -1))))
            (i64.load (i32.const 40)))
        (func (export "fill") (param i32) (result i32)
            (if (call $visits) (then (return (i32.const -1))))
            (call $set (i32.load (i32.const 20)) (i32.const 8) (i32.const 5) (i32.const 0) (local.get 0) (i32.const 32))
            (i32.sub (i32.const 0) (i32.load8_u (i32.const 32))))
        (func (export "other") (result i32)
            (call $open (i32.const 8) (i32.const 5) (i32.const 16))
            (i32.sub (i32.const 0) (i32.load8_u (i32.const 16)))))
    (core instance $i (instantiate $m
        (with "host" (instance (export "open" (func $open)) (export "set" (func $set)) (export "increment" (func $increment))))
        (with "memory" (instance $memory))))
    (func (export "count") (param "key" string) (result s64)
        (canon lift (core func $i "count") (memory $memory "memory") (realloc (func $memory "realloc"))))
    (func (export "fill") (param "bytes" u32) (result s32) (canon lift (core func $i "fill")))
    (func (export "other") (result s32) (canon lift (core func $i "other"))))"#;

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

//! What every store must do, and what the gate makes of it.

pub(super) mod access;
pub(super) mod approvals;
mod same;
mod standing;
pub(super) mod suite;

use std::collections::BTreeMap;

use super::memory::MemoryRegistry;
use super::model::*;
use crate::clock::Timestamp;
use crate::digest::Digest;

pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

pub(super) fn digest(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

/// A published version whose bytes follow from `bytes`.
pub(super) fn published(skill: &str, bytes: &str) -> Published {
    Published {
        skill: id(skill),
        manifest_hash: digest(&format!("{bytes} manifest")),
        component_hash: digest(&format!("{bytes} component")),
        package_hash: digest(&format!("{bytes} package")),
        adapters: BTreeMap::from([("adapters/mcp.json".to_owned(), digest(&format!("{bytes} adapter")))]),
        provides: vec![id("cap.text.redact")],
        publisher: id("acme"),
        by: None,
        published_at: Timestamp::from_millis(1_790_000_000_123),
    }
}

pub(super) fn statement(name: &str, kind: StatementKind, about: &Published) -> Statement {
    Statement {
        id: name.to_owned(),
        kind,
        manifest_hash: about.manifest_hash,
        signer: id("acme-2026"),
        body: format!("{{\"payload\": \"{name} \u{2028}\\\"\n\"}}"),
        by: None,
        at: Timestamp::from_millis(1_790_000_001_000),
    }
}

pub(super) fn event(name: &str, scope: Scope, target: Target, state: State, issuer: &str) -> StandingEvent {
    StandingEvent {
        id: name.to_owned(),
        scope,
        target,
        state,
        issuer: id(issuer),
        by: "ada".to_owned(),
        reason: format!("because of {name} \u{1b}[31m\u{fb33}😀"),
        at: Timestamp::from_millis(1_790_000_002_000),
    }
}

pub(super) fn namespace(name: &str, owner: &str) -> NamespaceRecord {
    NamespaceRecord { namespace: id(name), owner: id(owner), min_tier: 2, callers: vec![id("globex")] }
}

pub(super) fn query(skill: &str) -> StandingQuery {
    StandingQuery {
        skill: id(skill),
        organisation: id("globex"),
        host: id("host-1"),
        adapter: id("mcp"),
        approval: Some("approval-1".to_owned()),
        token: Some("token-1".to_owned()),
    }
}

pub(super) fn commit(sequence: u64, change: &Change) -> Commit {
    Commit { sequence, digest: change.digest().unwrap() }
}

/// Checks and applies a change under the next sequence.
pub(super) fn apply(registry: &dyn Registry, change: &Change) -> Result<(), RegistryError> {
    let sequence = registry.commits(0).unwrap().last().map_or(1, |last| last.sequence + 1);
    let checked = registry.check(change);
    let applied = registry.apply(change, commit(sequence, change));
    assert_eq!(checked, applied, "check and apply differ about {change:?}");
    applied
}

#[test]
fn the_memory_store_behaves() {
    suite::behaves(&|| Box::new(MemoryRegistry::new()));
}

#[cfg(feature = "sqlite")]
#[test]
fn the_sqlite_store_behaves() {
    let folder = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    suite::behaves(&|| {
        count.set(count.get() + 1);
        Box::new(super::sqlite::SqliteRegistry::create(&folder.path().join(format!("{}.db", count.get()))).unwrap())
    });
}

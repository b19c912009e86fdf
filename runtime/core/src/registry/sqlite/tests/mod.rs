//! What only a file can suffer.

mod files;
mod processes;
mod triggers;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::registry::model::{HostRecord, OrgRecord, Scope, State, StatementKind};
use crate::registry::tests::{access, apply, approvals, digest, event, id, namespace, published, query, statement};

const REDACT: &str = "org.acme/redact@1.0.0";

/// A registry with a row of every kind; the standing event is a ban.
fn filled() -> (TempDir, PathBuf, SqliteRegistry) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("registry.db");
    let registry = SqliteRegistry::create(&path).unwrap();
    let row = published(REDACT, "one");
    for change in [
        Change::Publish(row.clone()),
        Change::Statement(statement("certified", StatementKind::Certification, &row)),
        Change::Standing(event("ban", Scope::Global, Target::Skill(id("org.acme/redact")), State::Banned, "security")),
        Change::Namespace(namespace("org.acme", "acme")),
        Change::Organisation(OrgRecord { organisation: id("globex"), suspended: false, offboarded: false }),
        Change::Host(HostRecord { host: id("host-1"), executable: digest("a"), configuration: digest("b"), revoked: false }),
        Change::Role(access::role("globex", "gus", crate::registry::access::Role::Worker, None, true)),
        access::issue("token-1", "globex", 30),
        approvals::step("approval-1", 0, approvals::pending("globex")),
    ] {
        apply(&registry, &change).unwrap();
    }
    (folder, path, registry)
}

/// Somebody else's connection, without any of our settings.
fn raw(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection.pragma_update(None, "foreign_keys", "OFF").unwrap();
    connection
}

fn why<T: std::fmt::Debug>(result: Result<T, RegistryError>) -> String {
    match result {
        Err(RegistryError::Unreachable(message)) => message,
        other => panic!("{other:?}"),
    }
}

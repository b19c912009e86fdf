//! The file's schema: written once, and compared word by word when a file is opened.

use rusqlite::{Connection, TransactionBehavior};

use super::unreachable;
use crate::registry::model::RegistryError;

/// Statements separated by blank lines.
const SCHEMA: &str = include_str!("schema.sql");
/// "SKHR": the file is a registry of ours.
const APPLICATION: i64 = 0x534b_4852;
/// The schema's version.
const VERSION: i64 = 1;

/// Writes the schema into a new database.
pub(super) fn write(connection: &mut Connection) -> Result<(), RegistryError> {
    fill(connection).map_err(unreachable)
}

fn fill(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

/// Whether the database is a registry of this version, with this schema and no other.
pub(super) fn check(connection: &Connection) -> Result<(), RegistryError> {
    let application = number(connection, "application_id")?;
    if application != APPLICATION {
        return Err(unreachable(format_args!("the file belongs to another program (application id {application})")));
    }
    match number(connection, "user_version")? {
        VERSION => {}
        newer if newer > VERSION => {
            return Err(unreachable(format_args!(
                "the file is of version {newer}, this program knows version {VERSION}; a newer hall made it, use that one"
            )));
        }
        other => return Err(unreachable(format_args!("the file is of the unknown version {other}"))),
    }
    let mut wanted: Vec<&str> = SCHEMA.split("\n\n").map(|statement| statement.trim().trim_end_matches(';')).collect();
    let mut found = statements(connection).map_err(unreachable)?;
    wanted.sort_unstable();
    found.sort_unstable();
    if found == wanted { Ok(()) } else { Err(unreachable("its schema was altered")) }
}

fn statements(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut query = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    query.query_map([], |row| row.get(0))?.collect()
}

/// A number that changes with the schema.
pub(super) fn counter(connection: &Connection) -> Result<i64, RegistryError> {
    number(connection, "schema_version")
}

/// Whether the file's own structure is whole.
pub(super) fn integrity(connection: &Connection) -> Result<(), RegistryError> {
    check(connection)?;
    let mut query = connection.prepare("PRAGMA integrity_check(1)").map_err(unreachable)?;
    let verdict: String = query.query_row([], |row| row.get(0)).map_err(unreachable)?;
    if verdict == "ok" { Ok(()) } else { Err(unreachable(format_args!("the file is corrupt: {verdict}"))) }
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, RegistryError> {
    let mut query = connection.prepare_cached(&format!("PRAGMA {pragma}")).map_err(unreachable)?;
    query.query_row([], |row| row.get(0)).map_err(unreachable)
}

//! A file's schema: written once, and compared word by word when a file is opened.

use rusqlite::{Connection, TransactionBehavior};

use super::{DatabaseError, unreachable};

/// What belongs into a file.
pub(crate) struct Schema {
    /// Statements separated by blank lines.
    pub(crate) statements: &'static str,
    /// The number by which a file of this kind is known.
    pub(crate) application: i64,
    /// The schema's version.
    pub(crate) version: i64,
}

/// Writes the schema into a new database.
pub(super) fn write(connection: &mut Connection, schema: &Schema) -> Result<(), DatabaseError> {
    fill(connection, schema).map_err(unreachable)
}

fn fill(connection: &mut Connection, schema: &Schema) -> rusqlite::Result<()> {
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(schema.statements)?;
    transaction.pragma_update(None, "application_id", schema.application)?;
    transaction.pragma_update(None, "user_version", schema.version)?;
    transaction.commit()
}

/// Whether the database is of this kind and version, with this schema and no other.
pub(super) fn check(connection: &Connection, schema: &Schema) -> Result<(), DatabaseError> {
    let application = number(connection, "application_id")?;
    if application != schema.application {
        return Err(unreachable(format_args!("the file belongs to another program (application id {application})")));
    }
    match number(connection, "user_version")? {
        known if known == schema.version => {}
        newer if newer > schema.version => {
            return Err(unreachable(format_args!(
                "the file is of version {newer}, this program knows version {}; a newer hall made it, use that one",
                schema.version
            )));
        }
        other if other < 1 => return Err(unreachable(format_args!("the file is of the unknown version {other}"))),
        other => {
            return Err(unreachable(format_args!(
                "the file is of version {other}, which no release had; this program knows version {}",
                schema.version
            )));
        }
    }
    let mut wanted: Vec<&str> = schema.statements.split("\n\n").map(|statement| statement.trim().trim_end_matches(';')).collect();
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
pub(super) fn counter(connection: &Connection) -> Result<i64, DatabaseError> {
    number(connection, "schema_version")
}

/// Whether the file's own structure is whole.
pub(crate) fn integrity(connection: &Connection, schema: &Schema) -> Result<(), DatabaseError> {
    check(connection, schema)?;
    let mut query = connection.prepare("PRAGMA integrity_check(1)").map_err(unreachable)?;
    let verdict: String = query.query_row([], |row| row.get(0)).map_err(unreachable)?;
    if verdict == "ok" { Ok(()) } else { Err(unreachable(format_args!("the file is corrupt: {verdict}"))) }
}

fn number(connection: &Connection, pragma: &str) -> Result<i64, DatabaseError> {
    let mut query = connection.prepare_cached(&format!("PRAGMA {pragma}")).map_err(unreachable)?;
    query.query_row([], |row| row.get(0)).map_err(unreachable)
}

//! One `SQLite` file: opened safely, with the schema that its program wrote and no other, and shared by any number of
//! threads and processes.
//!
//! What is kept in it is the business of the room that has it. A [`Schema`] says what belongs into the file; a [`Pool`] has
//! its connections and looks, at every transaction, whether the file is still the one that was opened.

mod place;
mod pool;
mod schema;

use std::path::Path;

pub(crate) use pool::Pool;
pub(crate) use schema::{Schema, integrity};

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DatabaseError {
    /// It does not answer: gone, locked for too long, corrupt, full, or of a newer version.
    #[error("{0}")]
    Unreachable(String),
    /// It is there already.
    #[error("{0}")]
    Conflict(String),
}

/// Makes a new file (mode 0600) with this schema. Whoever looks sees no file or a whole one.
pub(crate) fn create(path: &Path, schema: &'static Schema) -> Result<(), DatabaseError> {
    place::create(path, |connection| schema::write(connection, schema))
}

fn unreachable(error: impl std::fmt::Display) -> DatabaseError {
    DatabaseError::Unreachable(error.to_string())
}

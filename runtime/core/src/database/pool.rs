//! The open connections to one file.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::place::Place;
use super::{DatabaseError, Schema, schema, unreachable};

/// Most connections at once; a call beyond that waits.
const MOST: usize = 16;
/// More than there are different statements.
const STATEMENTS: usize = 64;

pub(crate) struct Pool {
    kind: &'static Schema,
    place: Place,
    patience: Duration,
    /// The schema's change counter when the schema was last found to be ours.
    schema: AtomicI64,
    connections: Mutex<Connections>,
    returned: Condvar,
    /// Open as long as the registry is, and otherwise unused: when the last connection closes, `SQLite` removes the log.
    _anchor: Mutex<Connection>,
}

#[derive(Default)]
struct Connections {
    idle: Vec<Connection>,
    leased: usize,
}

impl Pool {
    pub(crate) fn open(path: &Path, kind: &'static Schema, patience: Duration) -> Result<Self, DatabaseError> {
        let place = Place::find(path)?;
        let anchor = connect(place.database(), patience)?;
        schema::check(&anchor, kind)?;
        let counter = schema::counter(&anchor)?;
        let place = place.with_companions()?;
        Ok(Self {
            kind,
            place,
            patience,
            schema: AtomicI64::new(counter),
            connections: Mutex::default(),
            returned: Condvar::new(),
            _anchor: Mutex::new(anchor),
        })
    }

    /// Whether the file is the one that was opened and its schema is ours still; to be asked inside a transaction.
    fn check(&self, connection: &Connection) -> Result<(), DatabaseError> {
        self.place.check()?;
        let counter = schema::counter(connection)?;
        if counter != self.schema.load(Ordering::Acquire) {
            schema::check(connection, self.kind)?;
            self.schema.store(counter, Ordering::Release);
        }
        Ok(())
    }

    /// Does a work in one transaction: it is committed if the work is done, and else nothing of it happened. After an error that
    /// is the work's own answer, as `is_answer` says, the connection is kept for the next one.
    pub(crate) fn transaction<T, E: From<DatabaseError>>(
        &self,
        behavior: TransactionBehavior,
        is_answer: impl FnOnce(&E) -> bool,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut lease = self.lease()?;
        let result = (|| {
            let transaction = lease.connection()?.transaction_with_behavior(behavior).map_err(unreachable)?;
            self.check(&transaction)?;
            let value = work(&transaction)?;
            transaction.commit().map_err(unreachable)?;
            // A file that was exchanged while we wrote to it holds nothing of what we wrote.
            self.place.check()?;
            Ok(value)
        })();
        if result.as_ref().err().is_none_or(is_answer) {
            lease.give_back();
        }
        result
    }

    /// A connection of one's own, for a while. It is closed unless it is given back.
    pub(crate) fn lease(&self) -> Result<Lease<'_>, DatabaseError> {
        let all_busy = |connections: &mut Connections| connections.idle.is_empty() && connections.leased >= MOST;
        let (mut connections, _) =
            self.returned.wait_timeout_while(self.lock(), self.patience, all_busy).unwrap_or_else(PoisonError::into_inner);
        if all_busy(&mut connections) {
            return Err(unreachable("all its connections are busy"));
        }
        connections.leased += 1;
        Ok(Lease { pool: self, connection: connections.idle.pop() })
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        // Nothing between the lock and its end can panic, so what a poisoned lock guards is whole.
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Lease<'pool> {
    pool: &'pool Pool,
    connection: Option<Connection>,
}

impl Lease<'_> {
    /// The connection; opened now, if no idle one was left.
    fn connection(&mut self) -> Result<&mut Connection, DatabaseError> {
        let connection = if let Some(connection) = self.connection.take() {
            connection
        } else {
            self.pool.place.check()?;
            connect(self.pool.place.database(), self.pool.patience)?
        };
        Ok(self.connection.insert(connection))
    }

    /// Keeps the connection for the next call: it did what it was asked.
    fn give_back(mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.lock().idle.push(connection);
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        drop(self.connection.take());
        self.pool.lock().leased -= 1;
        self.pool.returned.notify_one();
    }
}

fn connect(database: &Path, patience: Duration) -> Result<Connection, DatabaseError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(database, flags).map_err(unreachable)?;
    // SQLite opens a file that it may not write for reading, without a word.
    if connection.is_readonly("main").map_err(unreachable)? {
        return Err(unreachable(format_args!("{} cannot be written", database.display())));
    }
    let mode = configure(&connection, patience).map_err(unreachable)?;
    if mode == "wal" { Ok(connection) } else { Err(unreachable(format_args!("its journal mode is {mode}, not wal"))) }
}

/// Sets what holds for one connection; gives the file's journal mode.
fn configure(connection: &Connection, patience: Duration) -> rusqlite::Result<String> {
    connection.busy_timeout(patience)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    for (pragma, value) in [
        ("synchronous", "FULL"),
        ("trusted_schema", "OFF"),
        ("foreign_keys", "ON"),
        // So that a replaced row counts as deleted and the triggers see it.
        ("recursive_triggers", "ON"),
        ("cell_size_check", "ON"),
        ("temp_store", "MEMORY"),
    ] {
        connection.pragma_update(None, pragma, value)?;
    }
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.pragma_query_value(None, "journal_mode", |row| row.get(0))
}

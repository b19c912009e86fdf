//! Stores in one `SQLite` file: what a hall in a folder has.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{OptionalExtension as _, Params, Row, Transaction, TransactionBehavior};

use super::rules::{self, Rows};
use super::{Kept, Operation, Performed, Quota, StoreError, StoreId, Stores, Usage};
use crate::database::{self, DatabaseError, Pool, Schema};
use crate::id::SkillId;

/// How long an operation waits for others before the stores count as unavailable.
const BUSY: Duration = Duration::from_secs(5);

/// What a file of stores is: "SKHK".
const SCHEMA: Schema = Schema { statements: include_str!("schema.sql"), application: 0x534b_484b, version: 1 };

/// Stores in an `SQLite` file, which any number of threads and processes may have open.
///
/// The file is made (mode 0600) when it is first needed, and opened anew after it could not be used.
pub struct SqliteStores {
    path: PathBuf,
    patience: Duration,
    open: Mutex<Option<Arc<Pool>>>,
}

impl SqliteStores {
    /// The stores in this file. Nothing is opened yet.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self::patient(path, BUSY)
    }

    pub(super) fn patient(path: &Path, patience: Duration) -> Self {
        Self { path: path.to_owned(), patience, open: Mutex::new(None) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Pool>>> {
        // It is set in one assignment, so a panic leaves nothing half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After a failure the file is opened anew.
    fn seen<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if matches!(result, Err(StoreError::Unavailable(_))) {
            *self.lock() = None;
        }
        result
    }

    fn pool(&self) -> Result<Arc<Pool>, DatabaseError> {
        let mut open = self.lock();
        if let Some(pool) = &*open {
            return Ok(pool.clone());
        }
        let in_the_way = match database::create(&self.path, &SCHEMA) {
            Ok(()) => None,
            Err(DatabaseError::Conflict(what)) => Some(what),
            Err(error) => return Err(error),
        };
        let pool = Pool::open(&self.path, &SCHEMA, self.patience).map_err(|error| match in_the_way {
            Some(what) => DatabaseError::Unreachable(format!("{what}, and cannot be used: {error}")),
            None => error,
        })?;
        let pool = Arc::new(pool);
        *open = Some(pool.clone());
        Ok(pool)
    }
}

impl Stores for SqliteStores {
    fn perform(
        &self,
        id: &StoreId,
        quota: Quota,
        operation: Operation,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Performed, StoreError> {
        rules::check(&operation)?;
        let writes = operation.writes();
        // A write is alone from its first look on, so that what it judged still holds when it changes something.
        let behavior = if writes { TransactionBehavior::Immediate } else { TransactionBehavior::Deferred };
        let result = self.pool()?.transaction(behavior, is_answer, |transaction| {
            let mut rows = StoreRows::find(transaction, id, writes)?;
            let performed = rules::perform(&mut rows, quota, operation)?;
            if wanted() { Ok(performed) } else { Err(StoreError::GivenUp) }
        });
        self.seen(result)
    }

    fn list(&self, skill: &SkillId) -> Result<Vec<Kept>, StoreError> {
        if !self.path.exists() {
            return Ok(Vec::new());
        }
        let result = self.pool()?.transaction(TransactionBehavior::Deferred, is_answer, |transaction| {
            let sql = "SELECT organisation, name, bytes, entries FROM store WHERE skill = ?1 AND entries > 0 ORDER BY organisation, name";
            let mut statement = transaction.prepare_cached(sql).map_err(unavailable)?;
            let mut rows = statement.query([skill.to_string()]).map_err(unavailable)?;
            let mut kept = Vec::new();
            while let Some(row) = rows.next().map_err(unavailable)? {
                let organisation: String = row.get(0).map_err(unavailable)?;
                let usage = Usage {
                    bytes: unsigned(row.get(2).map_err(unavailable)?)?,
                    entries: unsigned(row.get(3).map_err(unavailable)?)?,
                };
                let organisation = organisation.parse().map_err(unavailable)?;
                kept.push(Kept { organisation, store: row.get(1).map_err(unavailable)?, usage });
            }
            Ok(kept)
        });
        self.seen(result)
    }

    fn clear(&self, id: &StoreId) -> Result<Usage, StoreError> {
        if !self.path.exists() {
            return Ok(Usage::default());
        }
        let result = self.pool()?.transaction(TransactionBehavior::Immediate, is_answer, |transaction| {
            let mut rows = StoreRows::find(transaction, id, false)?;
            let usage = rows.usage()?;
            rows.run("DELETE FROM entry WHERE store = ?1", [rows.id])?;
            rows.note(Usage::default())?;
            Ok(usage)
        });
        self.seen(result)
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Whether the file did what was asked, if only by saying no.
fn is_answer(error: &StoreError) -> bool {
    !matches!(error, StoreError::Unavailable(_))
}

fn unavailable(error: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

fn unsigned(sum: i64) -> Result<u64, StoreError> {
    u64::try_from(sum).map_err(unavailable)
}

/// The rows of one store, within one transaction.
struct StoreRows<'a> {
    transaction: &'a Transaction<'a>,
    /// `None`: nothing was ever written to it.
    id: Option<i64>,
}

impl<'a> StoreRows<'a> {
    fn find(transaction: &'a Transaction<'a>, id: &StoreId, make: bool) -> Result<Self, StoreError> {
        let named = (id.organisation.as_str(), id.skill.to_string(), id.store.as_str());
        let mut rows = Self { transaction, id: None };
        if make {
            rows.run("INSERT OR IGNORE INTO store (organisation, skill, name) VALUES (?1, ?2, ?3)", named.clone())?;
        }
        let sql = "SELECT id FROM store WHERE organisation = ?1 AND skill = ?2 AND name = ?3";
        rows.id = rows.ask(sql, named, |row| row.get(0))?;
        Ok(rows)
    }

    fn run(&self, sql: &str, values: impl Params) -> Result<(), StoreError> {
        self.transaction.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map(drop).map_err(unavailable)
    }

    fn ask<T>(
        &self,
        sql: &str,
        values: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.transaction.prepare_cached(sql).map_err(unavailable)?;
        statement.query_row(values, read).optional().map_err(unavailable)
    }
}

impl Rows for StoreRows<'_> {
    fn usage(&self) -> Result<Usage, StoreError> {
        let sums = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
        let found = self.ask("SELECT bytes, entries FROM store WHERE id = ?1", [self.id], sums)?;
        let (bytes, entries): (i64, i64) = found.unwrap_or_default();
        Ok(Usage { bytes: unsigned(bytes)?, entries: unsigned(entries)? })
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let sql = "SELECT value FROM entry WHERE store = ?1 AND key = ?2";
        self.ask(sql, (self.id, key.as_bytes()), |row| row.get(0))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        let sql = "SELECT length(value) FROM entry WHERE store = ?1 AND key = ?2";
        self.ask(sql, (self.id, key.as_bytes()), |row| row.get(0))?.map(unsigned).transpose()
    }

    fn keys(&self, after: u64, most: usize) -> Result<Vec<(u64, String)>, StoreError> {
        // What no place can be, nothing is after.
        let Ok(after) = i64::try_from(after) else { return Ok(Vec::new()) };
        let sql = "SELECT place, key FROM entry WHERE store = ?1 AND place > ?2 ORDER BY place LIMIT ?3";
        let mut statement = self.transaction.prepare_cached(sql).map_err(unavailable)?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut rows = statement.query((self.id, after, most)).map_err(unavailable)?;
        let mut keys = Vec::new();
        while let Some(row) = rows.next().map_err(unavailable)? {
            let key = String::from_utf8(row.get(1).map_err(unavailable)?).map_err(unavailable)?;
            keys.push((unsigned(row.get(0).map_err(unavailable)?)?, key));
        }
        Ok(keys)
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        if self.size(key)?.is_some() {
            return self.run("UPDATE entry SET value = ?3 WHERE store = ?1 AND key = ?2", (self.id, key.as_bytes(), value));
        }
        self.run("UPDATE store SET last = last + 1 WHERE id = ?1", [self.id])?;
        let sql = "INSERT INTO entry (store, place, key, value) SELECT id, last, ?2, ?3 FROM store WHERE id = ?1";
        self.run(sql, (self.id, key.as_bytes(), value))
    }

    fn remove(&mut self, key: &str) -> Result<(), StoreError> {
        self.run("DELETE FROM entry WHERE store = ?1 AND key = ?2", (self.id, key.as_bytes()))
    }

    fn note(&mut self, usage: Usage) -> Result<(), StoreError> {
        let signed = |sum: u64| i64::try_from(sum).map_err(unavailable);
        let sums = (self.id, signed(usage.bytes)?, signed(usage.entries)?);
        self.run("UPDATE store SET bytes = ?2, entries = ?3 WHERE id = ?1", sums)
    }
}

#[cfg(test)]
#[path = "tests/files.rs"]
mod tests;

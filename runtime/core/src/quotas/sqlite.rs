//! Quotas counted in one `SQLite` file, by all processes of a hall.
//!
//! Beside the file lies one for each process that has taken a share, which that process keeps locked. The operating system lets
//! go of the lock when the process dies, however it dies; whoever finds one unlocked counts what its runs held, and frees their
//! places.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, File, OpenOptions, OpenOptionsExt as _};
use rusqlite::{OptionalExtension as _, Params, Row, Transaction, TransactionBehavior};
use rustix::fs::{FlockOperation, OFlags, flock};

use super::{Claim, Counted, DAY_MS, Figures, QuotaError, Quotas, Spent, over};
use crate::clock::Timestamp;
use crate::database::{self, DatabaseError, Pool, Schema};
use crate::id::OrgId;
use crate::random;

/// Milliseconds within which calls are counted.
const MINUTE_MS: i64 = 60_000;

/// How long a call waits for others before quotas count as unavailable.
const BUSY: Duration = Duration::from_secs(5);
/// The file in the folder.
const FILE: &str = "counts.db";
/// How a process's file ends.
const PROCESS: &str = ".process";

/// What a file of quotas is: "SKHQ".
const SCHEMA: Schema = Schema { statements: include_str!("schema.sql"), application: 0x534b_4851, version: 1 };

/// Quotas in a folder of a hall, which is made (mode 0700) when the first share is taken.
pub struct SqliteQuotas {
    hall: Dir,
    name: String,
    path: PathBuf,
    pool: Mutex<Option<Arc<Pool>>>,
    /// This process, once it has taken a share.
    own: Mutex<Option<Own>>,
    /// What could not be settled when it ended.
    unsettled: Mutex<Vec<(String, Spent)>>,
}

/// The file of this process. Closing it lets go of the lock.
struct Own {
    process: String,
    _locked: File,
}

impl SqliteQuotas {
    /// Quotas in the folder `name` of a hall whose folder is `hall`, at `path`. Nothing is opened yet.
    #[must_use]
    pub fn at(hall: Dir, path: &Path, name: &str) -> Self {
        let path = path.join(name).join(FILE);
        Self { hall, name: name.to_owned(), path, pool: Mutex::default(), own: Mutex::default(), unsettled: Mutex::default() }
    }

    /// The open file; `None` if there is none yet and none is to be made.
    fn pool(&self, make: bool) -> Result<Option<Arc<Pool>>, QuotaError> {
        let mut open = lock(&self.pool);
        if let Some(pool) = &*open {
            return Ok(Some(pool.clone()));
        }
        if !make && self.hall.symlink_metadata(&self.name).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(None);
        }
        match self.hall.create_dir_with(&self.name, DirBuilder::new().mode(0o700)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(unavailable(error)),
            _ => {}
        }
        self.folder()?;
        let in_the_way = match database::create(&self.path, &SCHEMA) {
            Ok(()) => None,
            Err(DatabaseError::Conflict(what)) => Some(what),
            Err(error) => return Err(error.into()),
        };
        let pool = Pool::open(&self.path, &SCHEMA, BUSY).map_err(|error| match in_the_way {
            Some(what) => unavailable(format!("{what}, and cannot be used: {error}")),
            None => error.into(),
        })?;
        let pool = Arc::new(pool);
        *open = Some(pool.clone());
        Ok(Some(pool))
    }

    fn folder(&self) -> Result<Dir, QuotaError> {
        let is_folder = self.hall.symlink_metadata(&self.name).map_err(unavailable)?.is_dir();
        let folder = if is_folder { self.hall.open_dir(&self.name) } else { Err(io::ErrorKind::NotADirectory.into()) };
        folder.map_err(|error| unavailable(format!("the folder {}: {error}", self.name)))
    }

    /// After a failure the file is opened anew.
    fn seen<T>(&self, result: Result<T, QuotaError>) -> Result<T, QuotaError> {
        if matches!(result, Err(QuotaError::Unavailable(_))) {
            *lock(&self.pool) = None;
        }
        result
    }

    fn read<T>(&self, pool: &Pool, work: impl FnOnce(&Transaction<'_>) -> Result<T, QuotaError>) -> Result<T, QuotaError> {
        pool.transaction(TransactionBehavior::Deferred, is_answer, work)
    }

    /// Does a work alone, after all that this process has still to settle.
    fn write<T>(&self, pool: &Pool, work: impl FnOnce(&Transaction<'_>) -> Result<T, QuotaError>) -> Result<T, QuotaError> {
        let late = std::mem::take(&mut *lock(&self.unsettled));
        let result = pool.transaction(TransactionBehavior::Immediate, is_answer, |transaction| {
            late.iter().try_for_each(|(run, spent)| settle(transaction, run, *spent))?;
            work(transaction)
        });
        if result.is_err() {
            lock(&self.unsettled).extend(late);
        }
        result
    }

    /// Does a work; if it says that too much was taken, once more after the runs of dead processes are gone.
    fn without_the_dead<T>(&self, pool: &Pool, mut work: impl FnMut() -> Result<T, QuotaError>) -> Result<T, QuotaError> {
        match work() {
            Err(QuotaError::Exceeded(_)) if self.bury(pool)? => work(),
            other => other,
        }
    }

    /// Counts what the runs of dead processes held, and frees their places. Gives whether there were any.
    fn bury(&self, pool: &Pool) -> Result<bool, QuotaError> {
        let own = lock(&self.own).as_ref().map(|own| own.process.clone());
        let all = self.read(pool, |transaction| {
            let mut statement = transaction.prepare_cached("SELECT DISTINCT process FROM run").map_err(unavailable)?;
            let found = statement.query_map([], |row| row.get::<_, String>(0)).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            found.map_err(unavailable)
        })?;
        let folder = self.folder()?;
        // Their locks are held until they are buried, so that nobody else takes their files away.
        let dead: Vec<(String, Option<File>)> = all
            .into_iter()
            .filter(|process| own.as_ref() != Some(process))
            .filter_map(|process| left_behind(&folder, &process).map(|file| (process, file)))
            .collect();
        if dead.is_empty() {
            return Ok(false);
        }
        self.write(pool, |transaction| {
            for (process, _) in &dead {
                run(
                    transaction,
                    "INSERT INTO day (organisation, day, time_us, bytes) \
                     SELECT organisation, began / ?2, sum(time_us), sum(bytes) FROM run WHERE process = ?1 GROUP BY 1, 2 \
                     ON CONFLICT DO UPDATE SET time_us = time_us + excluded.time_us, bytes = bytes + excluded.bytes",
                    (process, DAY_MS),
                )?;
                run(transaction, "DELETE FROM run WHERE process = ?1", [process])?;
            }
            Ok(())
        })?;
        for (process, _) in &dead {
            // One that stays does no harm: it has no runs.
            let _ = folder.remove_file(format!("{process}{PROCESS}"));
        }
        Ok(true)
    }

    /// This process's name, made and locked when it is first needed.
    fn process(&self) -> Result<String, QuotaError> {
        let mut own = lock(&self.own);
        if let Some(own) = &*own {
            return Ok(own.process.clone());
        }
        let process = random::uuid().map_err(unavailable)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600).custom_flags(flags());
        let file = self.folder()?.open_with(format!("{process}{PROCESS}"), &options).map_err(unavailable)?;
        flock(&file, FlockOperation::NonBlockingLockExclusive).map_err(unavailable)?;
        *own = Some(Own { process: process.clone(), _locked: file });
        Ok(process)
    }
}

impl Quotas for SqliteQuotas {
    fn look(&self, organisation: &OrgId, figures: &Figures, claim: Claim, now: Timestamp) -> Result<Counted, QuotaError> {
        let Some(pool) = self.seen(self.pool(false))? else {
            let counted = Counted::nothing(now);
            return within(figures, &counted, claim).map(|()| counted);
        };
        self.seen(self.without_the_dead(&pool, || {
            self.read(&pool, |transaction| {
                let counted = count(transaction, organisation, now)?;
                within(figures, &counted, claim).map(|()| counted)
            })
        }))
    }

    fn take(&self, id: &str, organisation: &OrgId, figures: &Figures, claim: Claim, now: Timestamp) -> Result<(), QuotaError> {
        let Some(pool) = self.seen(self.pool(true))? else { return Err(unavailable("its file is not there")) };
        let process = if figures.counts_runs() { Some(self.process()?) } else { None };
        self.seen(self.without_the_dead(&pool, || {
            self.write(&pool, |transaction| {
                let at = now.millis();
                // A clock that was set back makes no call count for longer than a minute.
                run(transaction, "UPDATE call SET at = ?2 WHERE organisation = ?1 AND at > ?2", (organisation.as_str(), at))?;
                if let Err(exceeded) = within(figures, &count(transaction, organisation, now)?, claim) {
                    // Committed, so that what was set back grows old.
                    return Ok(Err(exceeded));
                }
                if figures.calls_per_minute.is_some() {
                    call(transaction, organisation, at)?;
                }
                let Some(process) = &process else { return Ok(Ok(())) };
                let ends = at.saturating_add(i64::try_from(claim.time_us.div_ceil(1000)).unwrap_or(i64::MAX));
                run(
                    transaction,
                    "INSERT INTO run (id, organisation, process, began, ends, time_us, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    (id, organisation.as_str(), process, at, ends, signed(claim.time_us), signed(claim.bytes)),
                )
                .map(Ok)
            })?
        }))
    }

    fn settle(&self, id: &str, spent: Spent) {
        let settled = self.pool(false).and_then(|pool| match pool {
            Some(pool) => self.write(&pool, |transaction| settle(transaction, id, spent)),
            None => Err(unavailable("its file is not there")),
        });
        if self.seen(settled).is_err() {
            lock(&self.unsettled).push((id.to_owned(), spent));
        }
    }
}

impl Drop for SqliteQuotas {
    fn drop(&mut self) {
        let own = lock(&self.own).take();
        if let (Some(own), Ok(folder)) = (own, self.folder()) {
            // The lock is held until the name is gone; what this process could not settle, others count.
            let _ = folder.remove_file(format!("{}{PROCESS}", own.process));
        }
    }
}

fn within(figures: &Figures, counted: &Counted, claim: Claim) -> Result<(), QuotaError> {
    over(figures, counted, claim).map_or(Ok(()), |excess| Err(QuotaError::Exceeded(excess)))
}

/// Whether a process is dead: its file is gone, or nobody holds its lock. Gives the file, locked.
fn left_behind(folder: &Dir, process: &str) -> Option<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags());
    match folder.open_with(format!("{process}{PROCESS}"), &options) {
        Ok(file) => flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok().then_some(Some(file)),
        Err(error) => (error.kind() == io::ErrorKind::NotFound).then_some(None),
    }
}

fn flags() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Whatever is guarded here is set in one assignment.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is counted of an organisation.
fn count(transaction: &Transaction<'_>, organisation: &OrgId, now: Timestamp) -> Result<Counted, QuotaError> {
    let (name, at) = (organisation.as_str(), now.millis());
    let calls = "SELECT count(*), min(at) FROM call WHERE organisation = ?1 AND at > ?2 AND at <= ?3";
    let (calls, oldest): (i64, Option<i64>) =
        ask(transaction, calls, (name, at.saturating_sub(MINUTE_MS), at), |row| Ok((row.get(0)?, row.get(1)?)))?
            .unwrap_or_default();
    let runs = "SELECT count(*), min(ends), coalesce(sum(time_us), 0), coalesce(sum(bytes), 0) FROM run WHERE organisation = ?1";
    let (runs, ends, held_time, held_bytes): (i64, Option<i64>, i64, i64) =
        ask(transaction, runs, [name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?.unwrap_or_default();
    let day = "SELECT time_us, bytes FROM day WHERE organisation = ?1 AND day = ?2";
    let (time, bytes): (i64, i64) =
        ask(transaction, day, (name, at.div_euclid(DAY_MS)), |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default();
    Ok(Counted {
        calls: unsigned(calls)?,
        next_call_at: oldest.map(|oldest| Timestamp::from_millis(oldest.saturating_add(MINUTE_MS))),
        runs: unsigned(runs)?,
        next_end_at: ends.map(Timestamp::from_millis),
        time_us: unsigned(time)?,
        held_time_us: unsigned(held_time)?,
        bytes: unsigned(bytes)?,
        held_bytes: unsigned(held_bytes)?,
        ..Counted::nothing(now)
    })
}

/// Counts a call, and forgets those that count no longer.
fn call(transaction: &Transaction<'_>, organisation: &OrgId, at: i64) -> Result<(), QuotaError> {
    let name = organisation.as_str();
    let over = at.saturating_sub(MINUTE_MS);
    // The last one stays for its number.
    run(
        transaction,
        "DELETE FROM call WHERE organisation = ?1 AND at <= ?2 \
         AND number < (SELECT max(number) FROM call WHERE organisation = ?1)",
        (name, over),
    )?;
    run(
        transaction,
        "INSERT INTO call (organisation, number, at) \
         VALUES (?1, 1 + coalesce((SELECT max(number) FROM call WHERE organisation = ?1), 0), ?2)",
        (name, at),
    )
}

/// Ends a run: what it used counts, and what it held is free. One that is not there was counted already.
fn settle(transaction: &Transaction<'_>, id: &str, spent: Spent) -> Result<(), QuotaError> {
    run(
        transaction,
        "INSERT INTO day (organisation, day, time_us, bytes) SELECT organisation, began / ?2, ?3, ?4 FROM run WHERE id = ?1 \
         ON CONFLICT DO UPDATE SET time_us = time_us + excluded.time_us, bytes = bytes + excluded.bytes",
        (id, DAY_MS, signed(spent.time_us), signed(spent.bytes)),
    )?;
    // Days that are over count no longer.
    run(transaction, "DELETE FROM day WHERE day < (SELECT began / ?2 - 1 FROM run WHERE id = ?1)", (id, DAY_MS))?;
    run(transaction, "DELETE FROM run WHERE id = ?1", [id])
}

fn run(transaction: &Transaction<'_>, sql: &str, values: impl Params) -> Result<(), QuotaError> {
    transaction.prepare_cached(sql).and_then(|mut statement| statement.execute(values)).map(drop).map_err(unavailable)
}

fn ask<T>(
    transaction: &Transaction<'_>,
    sql: &str,
    values: impl Params,
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Option<T>, QuotaError> {
    let mut statement = transaction.prepare_cached(sql).map_err(unavailable)?;
    statement.query_row(values, read).optional().map_err(unavailable)
}

impl From<DatabaseError> for QuotaError {
    fn from(error: DatabaseError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Whether the file did what was asked, if only by saying no.
fn is_answer(error: &QuotaError) -> bool {
    matches!(error, QuotaError::Exceeded(_))
}

fn unavailable(error: impl std::fmt::Display) -> QuotaError {
    QuotaError::Unavailable(error.to_string())
}

fn unsigned(sum: i64) -> Result<u64, QuotaError> {
    u64::try_from(sum).map_err(unavailable)
}

/// Sums stay far below what the file can hold: a figure of a day is at most 2^53 or so, and is cut to 2^56.
fn signed(figure: u64) -> i64 {
    i64::try_from(figure.min(1 << 56)).unwrap_or(1 << 56)
}

//! The registry in one `SQLite` file: the embedded default.
//!
//! Any number of threads and processes may have the file open. Every read is one transaction, every change another, and a
//! change that is acknowledged is on the disk. Rows are only ever appended: triggers refuse an update or a delete to
//! whoever writes to the file, each row's text is covered by the digest of the commit that made it, and a file whose
//! schema, rows or identity are not what they were is a registry that does not answer.

mod rows;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Transaction, TransactionBehavior};

use self::rows::Reader;
use super::access::{Credential, RoleRecord, Token};
use super::approval::Approval;
use super::model::{
    Change, Commit, NamespaceRecord, OrgRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery,
    Statement, Target,
};
use super::rules::{self, Effect, Rows as _};
use crate::database::{self, DatabaseError, Pool, Schema};
use crate::digest::Digest;
use crate::id::{Namespace, OrgId, SkillId};

/// How long a call waits for other writers before the registry counts as unreachable.
const BUSY: Duration = Duration::from_secs(5);

/// What a registry's file is: "SKHR".
const SCHEMA: Schema = Schema { statements: include_str!("schema.sql"), application: 0x534b_4852, version: 3 };

/// A registry in an `SQLite` file.
pub struct SqliteRegistry {
    pool: Pool,
}

impl SqliteRegistry {
    /// Makes a new, empty registry file (mode 0600) and opens it. Whoever looks sees no file or a whole one.
    ///
    /// # Errors
    /// [`RegistryError::Conflict`] if there is a file already (or what an earlier database of the name left behind);
    /// [`RegistryError::Unreachable`] if the file cannot be made.
    pub fn create(path: &Path) -> Result<Self, RegistryError> {
        database::create(path, &SCHEMA)?;
        Self::open(path)
    }

    /// Opens a registry file; never makes one.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`] if there is none, or it is a link, can be written by others, cannot be written by us,
    /// is corrupt, is of another program or a newer version, or its schema was altered.
    pub fn open(path: &Path) -> Result<Self, RegistryError> {
        Self::open_patient(path, BUSY)
    }

    fn open_patient(path: &Path, patience: Duration) -> Result<Self, RegistryError> {
        Ok(Self { pool: Pool::open(path, &SCHEMA, patience)? })
    }

    /// Reads everything and checks it: the file's own structure, every row against the digest of the commit that made it,
    /// and that no row or commit is missing from the row of versions. Takes time in proportion to the file.
    ///
    /// # Errors
    /// [`RegistryError::Unreachable`] naming the first thing that is wrong.
    pub fn verify(&self) -> Result<(), RegistryError> {
        self.read(|reader| {
            database::integrity(reader.connection(), &SCHEMA)?;
            reader.verify()
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Reader<'_>) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        self.transaction(TransactionBehavior::Deferred, |transaction| work(&Reader::new(transaction)))
    }

    fn transaction<T>(
        &self,
        behavior: TransactionBehavior,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, RegistryError>,
    ) -> Result<T, RegistryError> {
        let is_answer = |error: &RegistryError| matches!(error, RegistryError::Conflict(_) | RegistryError::Immutable { .. });
        self.pool.transaction(behavior, is_answer, work)
    }
}

impl From<DatabaseError> for RegistryError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unreachable(why) => Self::Unreachable(why),
            DatabaseError::Conflict(why) => Self::Conflict(why),
        }
    }
}

impl Registry for SqliteRegistry {
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
        self.read(|reader| rules::snapshot(reader, query))
    }

    fn version(&self) -> Result<u64, RegistryError> {
        self.read(|reader| reader.version())
    }

    fn check(&self, change: &Change) -> Result<(), RegistryError> {
        self.read(|reader| rules::judge(reader, change).map(drop))
    }

    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
        self.transaction(TransactionBehavior::Immediate, |transaction| {
            match rules::admit(&Reader::new(transaction), change, commit)? {
                Effect::Done => Ok(()),
                Effect::Note => rows::note(transaction, commit, false).map(drop),
                Effect::Append => {
                    let version = rows::note(transaction, commit, true)?;
                    rows::append(transaction, version, change)
                }
            }
        })
    }

    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        self.read(|reader| reader.commits(after))
    }

    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        self.read(|reader| reader.versions(skill))
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general over the transaction's lifetime")]
    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        self.read(|reader| reader.skills())
    }

    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        self.read(|reader| reader.statements(manifest))
    }

    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        self.read(|reader| reader.standing_events(target))
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        self.read(|reader| reader.namespace(namespace))
    }

    fn approval(&self, id: &str) -> Result<Option<Approval>, RegistryError> {
        self.read(|reader| rules::approval(reader, id))
    }

    fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, RegistryError> {
        self.read(|reader| reader.approvals(only_open))
    }

    fn credential(&self, token: &str) -> Result<Option<Credential>, RegistryError> {
        self.read(|reader| rules::credential(reader, token))
    }

    fn tokens(&self, organisation: Option<&OrgId>) -> Result<Vec<Token>, RegistryError> {
        self.read(|reader| reader.tokens(organisation))
    }

    fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, RegistryError> {
        self.read(|reader| reader.roles(organisation))
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general over the transaction's lifetime")]
    fn organisations(&self) -> Result<Vec<OrgRecord>, RegistryError> {
        self.read(|reader| reader.organisations())
    }

    #[expect(clippy::redundant_closure_for_method_calls, reason = "the method is not general over the transaction's lifetime")]
    fn namespaces(&self) -> Result<Vec<NamespaceRecord>, RegistryError> {
        self.read(|reader| reader.namespaces())
    }
}

fn unreachable(error: impl std::fmt::Display) -> RegistryError {
    RegistryError::Unreachable(error.to_string())
}

#[cfg(test)]
mod tests;

//! The hall's own registry file: opened when it is needed, told as unreachable when it is gone, and opened again when it
//! is back. No answer is kept.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::id::{Namespace, SkillId};
use skillhall_core::ledger::Ledger;
use skillhall_core::ledger::change::reconcile;
use skillhall_core::registry::sqlite::SqliteRegistry;
use skillhall_core::registry::{
    Change, Commit, NamespaceRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery, Statement,
    Target,
};

pub(super) struct LocalRegistry {
    path: PathBuf,
    open: Mutex<Connection>,
}

#[derive(Default)]
struct Connection {
    registry: Option<Arc<SqliteRegistry>>,
    /// Whether everything that the ledger announced stands in this registry.
    reconciled: bool,
}

impl LocalRegistry {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: Mutex::new(Connection::default()) }
    }

    /// Makes sure that the registry answers and that every change which the ledger announced is applied.
    pub(super) fn ready(&self, ledger: Option<&Ledger>, now: Timestamp) -> Result<(), Denial> {
        let registry = self.registry().map_err(|error| unreachable(&error))?;
        if self.lock().reconciled {
            return Ok(());
        }
        let Some(ledger) = ledger else { return Ok(()) };
        reconcile(ledger, &*registry, now).map_err(|error| {
            Denial::new(Code::RegistryUnreachable, format!("the registry does not agree with the ledger: {error}"))
                .advise("Run `hall audit verify`; a registry that was changed behind the ledger's back is not used.")
        })?;
        self.lock().reconciled = true;
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        // Nothing in here is left half changed by a panic: each field is set in one assignment.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn registry(&self) -> Result<Arc<SqliteRegistry>, RegistryError> {
        let mut open = self.lock();
        if let Some(registry) = &open.registry {
            return Ok(registry.clone());
        }
        let registry = Arc::new(SqliteRegistry::open(&self.path)?);
        open.registry = Some(registry.clone());
        Ok(registry)
    }

    /// Asks; a registry that does not answer is opened anew at the next question.
    fn ask<T>(&self, question: impl FnOnce(&SqliteRegistry) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let answer = question(&*self.registry()?);
        if matches!(answer, Err(RegistryError::Unreachable(_))) {
            *self.lock() = Connection::default();
        }
        answer
    }
}

pub(super) fn unreachable(error: &RegistryError) -> Denial {
    Denial::new(Code::RegistryUnreachable, error.to_string())
}

impl Registry for LocalRegistry {
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
        self.ask(|registry| registry.snapshot(query))
    }

    fn version(&self) -> Result<u64, RegistryError> {
        self.ask(Registry::version)
    }

    fn check(&self, change: &Change) -> Result<(), RegistryError> {
        self.ask(|registry| registry.check(change))
    }

    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
        self.ask(|registry| registry.apply(change, commit))
    }

    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        self.ask(|registry| registry.commits(after))
    }

    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        self.ask(|registry| registry.versions(skill))
    }

    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        self.ask(Registry::skills)
    }

    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        self.ask(|registry| registry.statements(manifest))
    }

    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        self.ask(|registry| registry.standing_events(target))
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        self.ask(|registry| registry.namespace(namespace))
    }
}

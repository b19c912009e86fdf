//! The registry's file in a hall's folder: opened when it is needed, told as unreachable when it is gone, and opened again
//! when it is back.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use skillhall_core::digest::Digest;
use skillhall_core::id::{Namespace, OrgId, SkillId};
use skillhall_core::registry::access::{Credential, RoleRecord, Token};
use skillhall_core::registry::approval::Approval;
use skillhall_core::registry::sqlite::SqliteRegistry;
use skillhall_core::registry::{
    Change, Commit, NamespaceRecord, OrgRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery,
    Statement, Target,
};

pub(super) struct RegistryFile {
    path: PathBuf,
    open: Mutex<Option<Arc<SqliteRegistry>>>,
}

impl RegistryFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, open: Mutex::new(None) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<SqliteRegistry>>> {
        // Nothing in here is left half changed by a panic: it is set in one assignment.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn registry(&self) -> Result<Arc<SqliteRegistry>, RegistryError> {
        let mut open = self.lock();
        if let Some(registry) = &*open {
            return Ok(registry.clone());
        }
        let registry = Arc::new(SqliteRegistry::open(&self.path)?);
        *open = Some(registry.clone());
        Ok(registry)
    }

    /// Asks; a registry that does not answer is opened anew at the next question.
    fn ask<T>(&self, question: impl FnOnce(&SqliteRegistry) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let answer = question(&*self.registry()?);
        if matches!(answer, Err(RegistryError::Unreachable(_))) {
            *self.lock() = None;
        }
        answer
    }
}

impl Registry for RegistryFile {
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

    fn approval(&self, id: &str) -> Result<Option<Approval>, RegistryError> {
        self.ask(|registry| registry.approval(id))
    }

    fn approvals(&self, only_open: bool) -> Result<Vec<Approval>, RegistryError> {
        self.ask(|registry| registry.approvals(only_open))
    }

    fn credential(&self, token: &str) -> Result<Option<Credential>, RegistryError> {
        self.ask(|registry| registry.credential(token))
    }

    fn tokens(&self, organisation: Option<&OrgId>) -> Result<Vec<Token>, RegistryError> {
        self.ask(|registry| registry.tokens(organisation))
    }

    fn roles(&self, organisation: Option<&OrgId>) -> Result<Vec<RoleRecord>, RegistryError> {
        self.ask(|registry| registry.roles(organisation))
    }

    fn organisations(&self) -> Result<Vec<OrgRecord>, RegistryError> {
        self.ask(Registry::organisations)
    }

    fn namespaces(&self) -> Result<Vec<NamespaceRecord>, RegistryError> {
        self.ask(Registry::namespaces)
    }
}

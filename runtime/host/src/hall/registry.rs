//! The hall's registry, held against its ledger: nothing is asked of it before every change that the ledger announced
//! stands in it, and once it did not answer, it is held against the ledger anew. No answer is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::id::{Namespace, OrgId, SkillId};
use skillhall_core::ledger::Ledger;
use skillhall_core::ledger::change::{ChangeError, reconcile};
use skillhall_core::registry::access::{Credential, RoleRecord, Token};
use skillhall_core::registry::approval::Approval;
use skillhall_core::registry::{
    Change, Commit, NamespaceRecord, OrgRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery,
    Statement, Target,
};

pub(super) struct HallRegistry {
    registry: Arc<dyn Registry>,
    /// Whether everything that the ledger announced stands in this registry.
    reconciled: AtomicBool,
}

impl HallRegistry {
    pub(super) fn new(registry: Arc<dyn Registry>) -> Self {
        Self { registry, reconciled: AtomicBool::new(false) }
    }

    /// Makes sure that the registry answers and that every change which the ledger announced is applied.
    pub(super) fn ready(&self, ledger: Option<&Ledger>, now: Timestamp) -> Result<(), Denial> {
        let Some(ledger) = ledger.filter(|_| !self.reconciled.load(Ordering::SeqCst)) else { return Ok(()) };
        reconcile(ledger, &*self.registry, now).map_err(|error| match error {
            ChangeError::Ledger(error) => error.denial(),
            ChangeError::Unreachable(error) => unreachable(&error),
            ChangeError::Pending { .. } => Denial::new(Code::RegistryUnreachable, error.to_string())
                .advise("Another process writes to the registry; wait until it is done, then call again. Nothing is lost."),
            error => Denial::new(Code::RegistryUnreachable, format!("the registry does not agree with the ledger: {error}"))
                .advise("Run `hall audit verify`; a registry that was changed behind the ledger's back is not used."),
        })?;
        self.reconciled.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn ask<T>(&self, question: impl FnOnce(&(dyn Registry + 'static)) -> Result<T, RegistryError>) -> Result<T, RegistryError> {
        let answer = question(&*self.registry);
        if matches!(answer, Err(RegistryError::Unreachable(_))) {
            self.reconciled.store(false, Ordering::SeqCst);
        }
        answer
    }
}

pub(super) fn unreachable(error: &RegistryError) -> Denial {
    Denial::new(Code::RegistryUnreachable, error.to_string())
}

impl Registry for HallRegistry {
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

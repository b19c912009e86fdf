//! What every change of a hall shares: who may make it, its record, and the record of its refusal.

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::{Authority, Caller};
use skillhall_core::id::Namespace;
use skillhall_core::ledger;
use skillhall_core::ledger::change::ChangeError;
use skillhall_core::ledger::event::{Event, EventKind};
use skillhall_core::package::Package;
use skillhall_core::registry::{Change, Registry, RegistryError};

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

impl Hall {
    /// Records something that changes no registry: a build, a key.
    ///
    /// # Errors
    /// `DENY_LEDGER_UNAVAILABLE`.
    pub fn note(&self, event: Event) -> Result<u64, Denial> {
        let sequences = self.ledger()?.append(vec![event]).map_err(|error| error.denial())?;
        Ok(sequences.first().copied().unwrap_or_default())
    }

    /// Records a denial of a verb, and gives it back.
    pub fn deny(&self, about: &Event, denial: Denial) -> Refused {
        let event = about.denied(&denial);
        match self.note(event) {
            Ok(record) => Refused::Denied { denial, record: Some(record) },
            Err(error) => Refused::Denied { denial: denial.detail("unrecorded", error.to_string()), record: None },
        }
    }

    /// An event of this hall, by whoever acts: its owner, or the holder of the token that was presented, if there is such a one. By
    /// what right stands in `as`: `owner`, or `token:ID`.
    #[must_use]
    pub fn event(&self, kind: EventKind, at: Timestamp) -> Event {
        let mut event = Event::new(kind, at);
        let acts = self.caller().ok().flatten();
        match (&acts, &self.presented) {
            (Some(caller), _) => {
                event.organisation = Some(caller.organisation.clone());
                event.caller = Some(caller.name.clone());
                event = event.with("as", caller.authority.to_text());
            }
            (None, Some(presented)) => event = event.with("as", Authority::Token(presented.clone()).to_text()),
            (None, None) => {
                event.organisation = Some(self.config.hall.organisation.clone());
                event.caller = Some(self.config.hall.owner.clone());
            }
        }
        event.host = Some(self.host.host.clone());
        event.adapter = Some(self.adapter.clone());
        event.correlation_id.clone_from(&self.correlation);
        event
    }

    /// An event of this hall about a package.
    #[must_use]
    pub fn about(&self, kind: EventKind, package: &Package, at: Timestamp) -> Event {
        let manifest = package.manifest();
        let mut event = self.event(kind, at);
        event.skill = Some(manifest.id());
        event.version = Some(manifest.version.clone());
        event.worker = Some(manifest.id().worker_species_id());
        event.hashes.insert("manifest".into(), package.manifest_hash());
        event.hashes.insert("component".into(), manifest.component.sha256);
        event
    }

    /// Does something; a denial is recorded beside what was attempted.
    pub(super) fn attempt<T>(&self, event: &Event, act: impl FnOnce(Event) -> Result<T, Refused>) -> Result<T, Refused> {
        match act(event.clone()) {
            Err(Refused::Denied { denial, record: None }) => Err(self.deny(event, denial)),
            other => other,
        }
    }

    pub(super) fn change(&self, event: Event, change: &Change) -> Result<u64, Refused> {
        let made = ledger::change::change(self.ledger()?, self.registry()?, event, change);
        // What runs is held against it at once; other processes look for themselves.
        self.running.registry_changed();
        made.map_err(|error| match error {
            ChangeError::Refused(error) => refused(error),
            ChangeError::Ledger(error) => error.denial().into(),
            ChangeError::Unreachable(error) => unreachable(&error).into(),
            other => Refused::Fault(Fault::Change(other)),
        })
    }

    pub(super) fn owns_namespace(&self, registry: &dyn Registry, caller: &Caller, namespace: &Namespace) -> Result<(), Denial> {
        let record = registry.namespace(namespace).map_err(|error| unreachable(&error))?;
        if record.is_some_and(|record| record.owner == caller.organisation) {
            return Ok(());
        }
        let message = format!("the organisation {} does not own the namespace {namespace} here", caller.organisation);
        Err(Denial::new(Code::NamespaceUnauthorized, message)
            .detail("namespace", namespace.as_str())
            .detail("organisation", caller.organisation.as_str()))
    }
}

/// A change that the registry does not take.
pub(super) fn refused(error: RegistryError) -> Refused {
    match error {
        RegistryError::Immutable { .. } => Denial::new(Code::VersionImmutable, error.to_string()).into(),
        RegistryError::Unreachable(_) => unreachable(&error).into(),
        RegistryError::Conflict(_) => Refused::Fault(Fault::Change(ChangeError::Refused(error))),
    }
}

impl From<Denial> for Refused {
    fn from(denial: Denial) -> Self {
        Self::Denied { denial, record: None }
    }
}

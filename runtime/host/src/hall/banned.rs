//! A registry as it would be with bans that nobody has said: for finding out what they would stop. It takes no change.

use skillhall_core::clock::Timestamp;
use skillhall_core::digest::Digest;
use skillhall_core::id::{Namespace, OrgId, SkillId};
use skillhall_core::registry::{
    Change, Commit, NamespaceRecord, Published, Registry, RegistryError, Scope, Snapshot, StandingEvent, StandingQuery, State,
    Statement, Target,
};

pub(super) struct Banned<'a> {
    registry: &'a dyn Registry,
    bans: Vec<StandingEvent>,
}

impl<'a> Banned<'a> {
    /// The registry with these targets banned for everybody.
    pub(super) fn new(registry: &'a dyn Registry, targets: &[Target], issuer: &OrgId, at: Timestamp) -> Self {
        let ban = |target: &Target| StandingEvent {
            id: "replay".to_owned(),
            scope: Scope::Global,
            target: target.clone(),
            state: State::Banned,
            issuer: issuer.clone(),
            by: "replay".to_owned(),
            reason: "as the replay was asked".to_owned(),
            at,
        };
        Self { registry, bans: targets.iter().map(ban).collect() }
    }
}

fn read_only<T>() -> Result<T, RegistryError> {
    Err(RegistryError::Conflict("a replay changes nothing".to_owned()))
}

impl Registry for Banned<'_> {
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
        let mut snapshot = self.registry.snapshot(query)?;
        snapshot.marks.extend(self.bans.iter().cloned());
        Ok(snapshot)
    }

    fn version(&self) -> Result<u64, RegistryError> {
        self.registry.version()
    }

    fn check(&self, _: &Change) -> Result<(), RegistryError> {
        read_only()
    }

    fn apply(&self, _: &Change, _: Commit) -> Result<(), RegistryError> {
        read_only()
    }

    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        self.registry.commits(after)
    }

    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        self.registry.versions(skill)
    }

    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        self.registry.skills()
    }

    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        self.registry.statements(manifest)
    }

    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        self.registry.standing_events(target)
    }

    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        self.registry.namespace(namespace)
    }
}

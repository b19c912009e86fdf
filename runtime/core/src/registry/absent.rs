//! The registry of a host that was given none.

use super::model::{
    Change, Commit, NamespaceRecord, Published, Registry, RegistryError, Snapshot, StandingEvent, StandingQuery, Statement,
    Target,
};
use crate::digest::Digest;
use crate::id::{Namespace, SkillId};

/// No registry: it never answers, so gate 1 denies every call with `DENY_REGISTRY_UNREACHABLE`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoRegistry;

fn silence<T>() -> Result<T, RegistryError> {
    Err(RegistryError::Unreachable("this host was given no registry".to_owned()))
}

impl Registry for NoRegistry {
    fn snapshot(&self, _: &StandingQuery) -> Result<Snapshot, RegistryError> {
        silence()
    }

    fn version(&self) -> Result<u64, RegistryError> {
        silence()
    }

    fn check(&self, _: &Change) -> Result<(), RegistryError> {
        silence()
    }

    fn apply(&self, _: &Change, _: Commit) -> Result<(), RegistryError> {
        silence()
    }

    fn commits(&self, _: u64) -> Result<Vec<Commit>, RegistryError> {
        silence()
    }

    fn versions(&self, _: &SkillId) -> Result<Vec<Published>, RegistryError> {
        silence()
    }

    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        silence()
    }

    fn statements(&self, _: &Digest) -> Result<Vec<Statement>, RegistryError> {
        silence()
    }

    fn standing_events(&self, _: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        silence()
    }

    fn namespace(&self, _: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        silence()
    }
}

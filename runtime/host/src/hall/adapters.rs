//! A package's descriptions for other platforms, given out only while the package may be read.

use std::sync::Arc;

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{AdapterId, SkillRef};
use skillhall_core::ledger::EventKind;
use skillhall_core::package::{Adapter, Package, adapters};
use skillhall_core::registry::standing::{consult, marks_beforehand, marks_verdict};
use skillhall_core::registry::{Registry, StandingQuery, Target};
use skillhall_core::trust::{attested, awp};

use super::registry::unreachable;
use super::{Hall, Refused};

/// What a package says to platforms.
#[derive(Debug)]
pub struct Described {
    /// The files, as they stand in the package.
    pub files: Vec<(Adapter, Arc<[u8]>)>,
    /// Adapters that the package has and that are degraded for its skill, each with its denial.
    pub withheld: Vec<(Adapter, Denial)>,
    /// Whether this hall's registry has the package; one that it has not was not certified for anybody.
    pub is_published: bool,
}

impl Hall {
    /// The adapters of a package: all of them, or the one of a platform. A published package goes through gates 1 to 5; of one that is not
    /// published here the attestation has to hold, and nothing that it says it is may be revoked. Each adapter has to be the one
    /// that skill.json gives.
    ///
    /// # Errors
    /// The denial of the first gate that fails, `DENY_ADAPTER_MALFORMED`, `DENY_ADAPTER_UNKNOWN` if the package has not the one that
    /// is wanted, and `DENY_ADAPTER_DEGRADED` if that one is degraded; it is recorded.
    pub fn adapters(&self, package: &Arc<Package>, wanted: Option<Adapter>) -> Result<Described, Refused> {
        let now = self.now()?;
        let event = self.about(EventKind::SkillVerify, package, now);
        self.attempt(&event, |event| {
            let caller = self.may(Action::Look, None)?;
            let registry = self.registry()?;
            let skill = package.manifest().reference();
            let versions = registry.versions(&skill.id).map_err(|error| unreachable(&error))?;
            let is_published = versions.iter().any(|published| published.skill == skill);
            let query = |adapter: AdapterId| StandingQuery {
                skill: skill.clone(),
                organisation: caller.organisation.clone(),
                host: self.host.host.clone(),
                adapter,
                approval: None,
                token: None,
            };
            if is_published {
                let standing = consult(registry, query(caller.adapter.clone()))?;
                let verified = self.verify_package(package.clone(), &standing, now, &mut |_| {})?;
                marks_verdict(&standing, &verified.keys_used())?;
            } else {
                self.beforehand(package, registry, now)?;
            }
            adapters::verify(package).map_err(|error| error.denial())?;
            let mut described = Described { files: Vec::new(), withheld: Vec::new(), is_published };
            for adapter in Adapter::ALL.into_iter().filter(|adapter| wanted.is_none_or(|wanted| wanted == *adapter)) {
                let Some(bytes) = package.file(adapter.path()) else { continue };
                let id: AdapterId = adapter.as_str().parse().map_err(|_| Denial::new(Code::InternalError, "no adapter's id"))?;
                // Each adapter has its own standing.
                let judged = if is_published {
                    marks_verdict(&consult(registry, query(id))?, &[])
                } else {
                    marks_beforehand(registry, &[Target::Adapter { skill: skill.id.clone(), adapter: id }])
                };
                match judged {
                    Ok(()) => described.files.push((adapter, bytes.clone())),
                    Err(denial) if denial.code == Code::AdapterDegraded && wanted.is_none() => {
                        described.withheld.push((adapter, denial));
                    }
                    Err(denial) => return Err(denial.into()),
                }
            }
            if let (Some(wanted), true) = (wanted, described.files.is_empty()) {
                return Err(without(&skill, wanted, package).into());
            }
            self.note(event)?;
            Ok(described)
        })
    }

    /// What can be judged of a package before it is published.
    fn beforehand(&self, package: &Package, registry: &dyn Registry, now: Timestamp) -> Result<(), Denial> {
        let facts = attested(package, &*self.source, now, self.is_local())?;
        let manifest = package.manifest();
        let skill = manifest.reference();
        let hashes = [package.manifest_hash(), manifest.component.sha256, awp::hash_of_package(package)];
        let hashes = hashes.into_iter().chain(manifest.adapters.values().copied()).map(Target::Hash);
        let keys = facts.keys().into_iter().cloned().map(Target::Key);
        let names = [
            Target::Worker(skill.id.worker_id()),
            Target::Worker(skill.id.worker_species_id()),
            Target::Namespace(skill.id.namespace.clone()),
            Target::Skill(skill.id.clone()),
            Target::Version(skill),
        ];
        marks_beforehand(registry, &hashes.chain(keys).chain(names).collect::<Vec<_>>())
    }
}

fn without(skill: &SkillRef, wanted: Adapter, package: &Package) -> Denial {
    let there: Vec<&str> =
        Adapter::ALL.iter().filter(|adapter| package.file(adapter.path()).is_some()).map(|adapter| adapter.as_str()).collect();
    let has = if there.is_empty() { "none".to_owned() } else { there.join(", ") };
    Denial::new(Code::AdapterUnknown, format!("{skill} has no adapter {wanted}; it has {has}")).detail("adapter", wanted.as_str())
}

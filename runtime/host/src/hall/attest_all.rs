//! Vouching anew for every package of a namespace with the keys of now, in the copies that are installed.

use serde::Serialize;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{KeyId, Namespace, SkillRef};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::package::Package;
use skillhall_core::registry::Published;
use skillhall_core::trust::keys::{Algorithm, KeySource as _, KeyState, Purpose, Secret, SigningKey};
use skillhall_core::trust::{AttestationFacts, Form, attest, attested, awp};

use super::registry::unreachable;
use super::{Fault, Hall, Refused};

/// What became of one published version.
#[derive(Debug, Serialize)]
pub struct AttestedAnew {
    /// Which version.
    pub skill: SkillRef,
    /// What became of it.
    #[serde(flatten)]
    pub end: AnewEnd,
}

/// How attesting one version anew ended.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum AnewEnd {
    /// It is attested with these keys now.
    Attested {
        /// The keys that signed.
        keys: Vec<KeyId>,
    },
    /// It was attested with the keys of now before, and stays as it is.
    Current {
        /// The keys that signed.
        keys: Vec<KeyId>,
    },
    /// It is published, and not installed here: there are no bytes to vouch for.
    NotInstalled,
    /// It was not attested, and its files are as they were.
    Failed {
        /// Why not.
        #[serde(serialize_with = "reason")]
        refused: Refused,
    },
}

/// The keys of a namespace with which this hall attests now, and their secrets.
pub(super) struct Signers {
    hmac: Option<(KeyId, Secret)>,
    ed25519: Option<(KeyId, SigningKey)>,
}

impl Signers {
    /// The keys' ids.
    pub(super) fn ids(&self) -> Vec<KeyId> {
        self.hmac.iter().map(|(id, _)| id).chain(self.ed25519.iter().map(|(id, _)| id)).cloned().collect()
    }

    /// The package with attestations by these keys.
    pub(super) fn attest(&self, package: &Package, builder: &str, at: Timestamp) -> Result<Package, Denial> {
        let ed25519 = self.ed25519.as_ref().map(|(id, key)| (id, key));
        attest(package, self.hmac.as_ref().map(|(_, secret)| secret), ed25519, builder, at)
    }

    /// Whether these very keys are what the attestations were found good by.
    fn made(&self, facts: &AttestationFacts) -> bool {
        let by = |form: &Form, id: Option<&KeyId>| match (form, id) {
            (_, None) => true,
            (Form::Verified { key }, Some(id)) => key == id,
            _ => false,
        };
        by(&facts.hmac, self.hmac.as_ref().map(|(id, _)| id)) && by(&facts.ed25519, self.ed25519.as_ref().map(|(id, _)| id))
    }
}

impl Hall {
    /// Attests every published version of a namespace of the hall's own that is installed or kept here with the keys of now, one
    /// after the other, and tells `observer` of each. A copy is exchanged whole, so a call that comes meanwhile finds the old
    /// attestation or the new one; interrupted, it is done again, and what bears the keys of now stays as it is.
    ///
    /// What is vouched for are the bytes that the registry has as published, and nothing is kept that would not pass gate 3.
    ///
    /// # Errors
    /// `ATTEST_NAMESPACE_INVALID` if the namespace is not the hall's own, `ATTEST_SIGNATURE_MISSING` if none of its keys is at
    /// hand, `DENY_UNAUTHENTICATED`, `DENY_REGISTRY_UNREACHABLE`; faults of the folder of keys. What befalls one version
    /// stands in its [`AnewEnd`] and keeps no other from being attested.
    pub fn attest_all(
        &self,
        namespace: &Namespace,
        builder: &str,
        observer: &mut dyn FnMut(&AttestedAnew),
    ) -> Result<Vec<AttestedAnew>, Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.event(EventKind::SkillAttest, now).with("namespace", namespace.as_str());
        let (versions, signers) = self.attempt(&event, |_| {
            self.may(Action::Attest, Some(namespace))?;
            let signers = self.signers(namespace, now)?;
            if signers.ids().is_empty() {
                let message = format!("no key of {namespace} that counts now is at hand");
                return Err(Denial::new(Code::SignatureMissing, message).into());
            }
            Ok((self.versions_of(namespace)?, signers))
        })?;
        let mut all = Vec::new();
        for published in versions {
            let end = self.attest_anew(&published, &signers, builder).unwrap_or_else(|refused| AnewEnd::Failed { refused });
            let anew = AttestedAnew { skill: published.skill, end };
            observer(&anew);
            all.push(anew);
        }
        Ok(all)
    }

    /// The newest keys of the namespace that count at this moment and whose secrets are at hand, one for each form.
    pub(super) fn signers(&self, namespace: &Namespace, now: Timestamp) -> Result<Signers, Refused> {
        let keyring = self.keys.keyring().map_err(Fault::from)?;
        if !keyring.owns(namespace) {
            let message = format!("the namespace {namespace} is not this hall's own, so nothing here can attest for it");
            return Err(Denial::new(Code::NamespaceInvalid, message).detail("namespace", namespace.as_str()).into());
        }
        let valid =
            |algorithm| keyring.attesters(namespace, algorithm).filter(move |key| key.state(now) == KeyState::Valid).last();
        let hmac = match valid(Algorithm::HmacSha256) {
            Some(record) => {
                let secret = self.keys.hmac_secret(&record.id, namespace).map_err(Fault::from)?;
                secret.map(|secret| (record.id.clone(), secret))
            }
            None => None,
        };
        let ed25519 = match valid(Algorithm::Ed25519) {
            Some(record) => Some((record.id.clone(), self.keys.signing_key(record, Purpose::Attest).map_err(Fault::from)?)),
            None => None,
        };
        Ok(Signers { hmac, ed25519 })
    }

    fn versions_of(&self, namespace: &Namespace) -> Result<Vec<Published>, Denial> {
        let registry = self.registry()?;
        let mut versions = Vec::new();
        for skill in registry.skills().map_err(|error| unreachable(&error))? {
            if skill.namespace == *namespace {
                versions.extend(registry.versions(&skill).map_err(|error| unreachable(&error))?);
            }
        }
        Ok(versions)
    }

    fn attest_anew(&self, published: &Published, signers: &Signers, builder: &str) -> Result<AnewEnd, Refused> {
        let now = self.now()?.whole_seconds();
        let mut event = self.event(EventKind::SkillAttest, now);
        event.skill = Some(published.skill.id.clone());
        event.version = Some(published.skill.version.clone());
        event.worker = Some(published.skill.id.worker_species_id());
        event.hashes.insert("manifest".into(), published.manifest_hash);
        event.hashes.insert("component".into(), published.component_hash);
        self.attempt(&event, |event| {
            let (package, is_installed) = match self.package(published) {
                Ok(package) => (package, true),
                Err(denial) if denial.code == Code::NotInstalled && self.is_shelved(published) => (self.take(published)?, false),
                Err(denial) if denial.code == Code::NotInstalled => return Ok(AnewEnd::NotInstalled),
                Err(denial) => return Err(denial.into()),
            };
            is_published(&package, published)?;
            let of_now = |package: &Package| {
                attested(package, &*self.source, now, self.is_local()).ok().filter(|facts| signers.made(facts))
            };
            // What is installed later by its name bears the keys of now, too; each copy may have been left behind alone.
            let shelf_is_old = self.is_shelved(published) && self.take(published).ok().and_then(|kept| of_now(&kept)).is_none();
            let keys = signers.ids();
            if let Some(facts) = of_now(&package) {
                self.enter_attestations(&package, &facts, None, now)?;
                if !shelf_is_old {
                    return Ok(AnewEnd::Current { keys });
                }
                self.note(event.with("keys", keys.iter().map(KeyId::as_str).collect::<Vec<_>>()))?;
                self.shelve(&package)?;
                return Ok(AnewEnd::Attested { keys });
            }
            let anew = signers.attest(&package, builder, now)?;
            let facts = attested(&anew, &*self.source, now, self.is_local())?;
            self.note(event.with("keys", keys.iter().map(KeyId::as_str).collect::<Vec<_>>()))?;
            if is_installed {
                self.keep(&anew)?;
            }
            if self.is_shelved(published) {
                self.shelve(&anew)?;
            }
            self.enter_attestations(&anew, &facts, None, now)?;
            Ok(AnewEnd::Attested { keys })
        })
    }
}

/// Nobody vouches here for other bytes than those that were published: the rule of gate 2.
fn is_published(package: &Package, published: &Published) -> Result<(), Denial> {
    let pairs = [
        (published.manifest_hash, package.manifest_hash()),
        (published.component_hash, package.manifest().component.sha256),
        (published.package_hash, awp::hash_of_package(package)),
    ];
    match pairs.into_iter().find(|(published, found)| published != found) {
        None => Ok(()),
        Some((expected, found)) => {
            let message = format!("the installed copy of {} has the hash {found}, but {expected} was published", published.skill);
            Err(Denial::new(Code::HashMismatch, message)
                .detail("expected_hash", expected.to_string())
                .detail("computed_hash", found.to_string()))
        }
    }
}

fn reason<S: serde::Serializer>(refused: &Refused, serializer: S) -> Result<S::Ok, S::Error> {
    match refused {
        Refused::Denied { denial, .. } => denial.serialize(serializer),
        Refused::Fault(fault) => serializer.collect_map([("message", fault.to_string())]),
    }
}

//! From a package at hand to one that can be run in its author's own hall: attest, certify, publish, install, each through
//! the same function and the same gates as by hand, each with its record.

use std::sync::Arc;

use serde::Serialize;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::id::{KeyId, Namespace, SkillRef};
use skillhall_core::ledger::EventKind;
use skillhall_core::package::Package;
use skillhall_core::trust::keys::{Algorithm, KeySource as _, KeyState, Purpose};

use super::{Fault, Hall, Observer, Refused};

/// For how many days a certification counts that is given on the way to a run.
const DAYS: u32 = 365;

/// One thing that was done on the way to a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Preparation {
    /// What: `register`, `build`, `attest`, `certify`, `publish`, `install`.
    pub step: &'static str,
    /// The ledger's sequence of its record.
    pub record: u64,
    /// What came of it, for people.
    pub what: String,
}

impl Hall {
    /// Makes every record of this hall carry a correlation id, until another is set.
    #[must_use]
    pub fn correlated(mut self, id: impl Into<String>) -> Self {
        self.correlation = Some(id.into());
        self
    }

    /// Refuses to prepare anything where a run is no trial: only a hall whose `env` is `dev` does so.
    ///
    /// # Errors
    /// `DENY_NOT_INSTALLED`; it is recorded.
    pub fn may_prepare(&self, what: &str) -> Result<(), Refused> {
        if self.is_local() {
            return Ok(());
        }
        let env = self.config.hall.env;
        let message = format!("{what} is not installed, and a hall whose env is {env:?} publishes nothing merely to run it");
        let denial = Denial::new(Code::NotInstalled, message.to_ascii_lowercase()).detail("path", what).advise(
            "Publish it by hand: hall build, hall attest, hall certify, hall publish, hall install; then run it by its name.",
        );
        Err(self.deny(&self.event(EventKind::SkillDeny, self.now()?), denial))
    }

    /// Whether a key is at hand with which a package of the namespace can be attested now.
    ///
    /// # Errors
    /// If the keyring or a secret cannot be read.
    pub fn can_attest(&self, namespace: &Namespace) -> Result<bool, Fault> {
        let now = self.clock.now()?;
        let keyring = self.keys.keyring()?;
        if !keyring.owns(namespace) {
            return Ok(false);
        }
        let mut valid = keyring
            .namespaces
            .get(namespace)
            .into_iter()
            .flat_map(|keys| &keys.keys)
            .filter(|key| key.state(now) == KeyState::Valid);
        valid.try_fold(false, |any, key| {
            Ok(any
                || match key.algorithm {
                    Algorithm::HmacSha256 => self.keys.hmac_secret(&key.id, namespace)?.is_some(),
                    Algorithm::Ed25519 => self.keys.signing_key(key, Purpose::Attest).is_ok(),
                })
        })
    }

    /// Takes a package through every verb that lies between it and a run, telling each as it is done. One whose very bytes
    /// are installed and pass gates 1 to 5 is ready, and nothing is done.
    ///
    /// A package that carries an attestation is not attested over: if it does not hold, it is refused.
    ///
    /// # Errors
    /// As [`attest`](Self::attest), [`certify`](Self::certify), [`publish`](Self::publish) and
    /// [`install_accepting`](Self::install_accepting).
    pub fn prepare(
        &self,
        package: Package,
        accepted: Option<Digest>,
        observer: &mut dyn Observer,
        tell: &mut dyn FnMut(Preparation),
    ) -> Result<SkillRef, Refused> {
        let skill = package.manifest().reference();
        if self.is_ready(&skill, package.manifest_hash())? {
            return Ok(skill);
        }
        let mut done = |step, record, what| tell(Preparation { step, record, what });
        let package = if package.awp_manifest().is_some() || package.dsse_envelope().is_some() {
            Arc::new(package)
        } else {
            let (attested, keys, record) = self.attest_recorded(&package, "local")?;
            let keys: Vec<&str> = keys.iter().map(KeyId::as_str).collect();
            done("attest", record, format!("attested with {}", keys.join(" and ")));
            Arc::new(attested)
        };
        let certified = self.certify(&package, DAYS)?;
        done(
            "certify",
            certified.record,
            format!("certified until {} ({} checks)", certified.expires_at, certified.checks.len()),
        );
        let (published, record) = self.publish(&package)?;
        done("publish", record, format!("published {} in this hall", published.skill));
        let (installed, record) = self.install_recorded(&package, accepted, observer)?;
        done("install", record, format!("installed {}", installed.skill));
        Ok(skill)
    }

    /// Whether these bytes are installed and pass gates 1 to 5 at this moment.
    fn is_ready(&self, skill: &SkillRef, manifest_hash: Digest) -> Result<bool, Refused> {
        let Ok(package) = self.load(skill) else { return Ok(false) };
        Ok(package.manifest_hash() == manifest_hash && self.passes(&package, skill)?.is_ok())
    }
}

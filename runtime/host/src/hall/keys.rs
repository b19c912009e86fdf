//! Changing a hall's keyring.

use cap_std::fs::{File, OpenOptions, OpenOptionsExt as _};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::id::Namespace;
use skillhall_core::ledger::EventKind;
use skillhall_core::trust::keys::{Algorithm, KeyRecord, Purpose, Secret, SigningKey};

use super::folder::KEYS;
use super::setup::key_id;
use super::{Fault, Hall, Refused};

/// What a new key is to be.
#[derive(Clone, Debug)]
pub struct KeyPlan {
    /// The namespace for which it attests; `None` for a certifier's key.
    pub namespace: Option<Namespace>,
    /// How it signs.
    pub algorithm: Algorithm,
    /// What it signs.
    pub purpose: Purpose,
    /// For how many days it counts; `None` is until it is revoked.
    pub days: Option<u32>,
}

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Hall {
    /// Makes a key, keeps its secret, records it, and enters it into the keyring.
    ///
    /// # Errors
    /// `ATTEST_NAMESPACE_INVALID` if the namespace is not this hall's own, `DENY_UNAUTHENTICATED`,
    /// `DENY_LEDGER_UNAVAILABLE`; faults of the folder of keys.
    pub fn new_key(&self, plan: &KeyPlan) -> Result<KeyRecord, Refused> {
        let now = self.clock.now().whole_seconds();
        let event = self.event(EventKind::KeyAdd, now);
        self.attempt(&event, |event| {
            self.owner()?;
            if let Some(namespace) = &plan.namespace
                && !self.config.owns(namespace)
            {
                let message = format!("the namespace {namespace} is not this hall's own");
                return Err(Denial::new(Code::NamespaceInvalid, message).detail("namespace", namespace.as_str()).into());
            }
            let algorithm = if plan.algorithm == Algorithm::Ed25519 { "ed25519" } else { "hmac" };
            let id = key_id(&plan.namespace.as_ref().map_or_else(|| "certifier".to_owned(), |ns| format!("{ns}/{algorithm}")))?;
            let mut record = KeyRecord {
                id,
                algorithm: plan.algorithm,
                purpose: plan.purpose,
                public: None,
                valid_from: now,
                valid_to: plan.days.map(|days| now.plus_millis(i64::from(days).saturating_mul(DAY_MS))),
                revoked_at: None,
            };
            if plan.algorithm == Algorithm::Ed25519 {
                let key = SigningKey::generate().map_err(Fault::from)?;
                record.public = Some(key.public().to_string());
                self.keys.save_signing_key(&record.id, &key).map_err(Fault::from)?;
            } else {
                self.keys.save_hmac_secret(&record.id, &Secret::generate().map_err(Fault::from)?).map_err(Fault::from)?;
            }
            let _lock = self.lock_keys()?;
            let mut keyring = self.keys.stored().map_err(Fault::from)?;
            match &plan.namespace {
                Some(namespace) => keyring.namespaces.entry(namespace.clone()).or_default().keys.push(record.clone()),
                None => keyring.certifiers.push(record.clone()),
            }
            keyring.validate().map_err(Fault::from)?;
            let key = serde_json::to_value(&record).map_err(|error| Fault::Configuration(error.to_string()))?;
            // Recorded before it counts: a keyring never holds a key that the ledger does not know.
            self.note(event.with("key", key))?;
            self.keys.save(&keyring).map_err(Fault::from)?;
            Ok(record)
        })
    }

    /// Keeps other processes from changing the keyring until the handle is dropped.
    fn lock_keys(&self) -> Result<File, Fault> {
        let io = |error: std::io::Error| Fault::io("the lock of the keyring", &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(0o600);
        let file = self.folder.part(KEYS)?.open_with("keyring.lock", &options).map_err(io)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
        Ok(file)
    }
}

//! Changing a hall's keyring: a key of one's own, a rotation, a revocation, a key of somebody else.

use cap_std::fs::{File, OpenOptions, OpenOptionsExt as _};
use serde::Serialize;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{KeyId, Namespace};
use skillhall_core::ledger::event::{Event, EventKind};
use skillhall_core::registry::standing::in_force;
use skillhall_core::registry::{Scope, StandingEvent, State, Target};
use skillhall_core::trust::keys::{Algorithm, Approver, KeyRecord, KeyState, Keyring, PublicKey, Purpose, Secret, SigningKey};

use super::folder::KEYS;
use super::registry::unreachable;
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

/// Which keys give way to new ones, and when.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The namespace for which they attest; one of the hall's own.
    pub namespace: Namespace,
    /// The one algorithm whose keys are rotated; `None`: each of which the namespace has a key in the keyring's file.
    pub algorithm: Option<Algorithm>,
    /// For how many milliseconds the old keys count beside the new ones, at least [`MIN_OVERLAP_MS`].
    pub overlap_ms: i64,
}

/// What a rotation did.
#[derive(Clone, Debug, Serialize)]
pub struct Rotated {
    /// The new keys, one for each algorithm.
    pub added: Vec<KeyRecord>,
    /// The old keys, each with the end of its time.
    pub retiring: Vec<KeyRecord>,
}

/// A key that was revoked.
#[derive(Clone, Debug, Serialize)]
pub struct RevokedKey {
    /// The namespace for which it attested; `None` for a certifier's key.
    pub namespace: Option<Namespace>,
    /// The key as it stands in the keyring now.
    pub key: KeyRecord,
    /// Whether the keyring held it for revoked before.
    pub before: bool,
    /// The ledger's sequence of the registry's standing event; `None` if it stood there before.
    pub record: Option<u64>,
}

/// The shortest overlap of a rotation: one minute. Whoever wants none revokes the old key.
pub const MIN_OVERLAP_MS: i64 = 60_000;

/// The least bytes of a passphrase that seals an approver's key.
pub const MIN_PASSPHRASE: usize = 12;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

impl Hall {
    /// Makes a key, keeps its secret, records it, and enters it into the keyring.
    ///
    /// # Errors
    /// `ATTEST_NAMESPACE_INVALID` if the namespace is not this hall's own, `DENY_UNAUTHENTICATED`,
    /// `DENY_LEDGER_UNAVAILABLE`; faults of the folder of keys.
    pub fn new_key(&self, plan: &KeyPlan) -> Result<KeyRecord, Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.event(EventKind::KeyAdd, now);
        self.attempt(&event, |event| {
            self.may(Action::Keys, plan.namespace.as_ref())?;
            if let Some(namespace) = &plan.namespace {
                self.own(namespace)?;
            }
            let _lock = self.lock_keys()?;
            let record = self.make_key(plan, now)?;
            let mut keyring = self.keys.stored().map_err(Fault::from)?;
            match &plan.namespace {
                Some(namespace) => keyring.namespaces.entry(namespace.clone()).or_default().keys.push(record.clone()),
                None => keyring.certifiers.push(record.clone()),
            }
            let event = about(event, plan.namespace.as_ref(), &record)?;
            self.keep_keyring(&keyring, vec![event])?;
            Ok(record)
        })
    }

    /// Makes new keys beside those of a namespace that count now, and ends the time of the old ones after the overlap. What
    /// the old ones attested passes gate 3 until then; [`attest_all`](Self::attest_all) attests it with the new ones.
    ///
    /// # Errors
    /// As [`new_key`](Self::new_key); [`Fault::Configuration`] if the overlap is too short, there is nothing to rotate, or the
    /// HMAC secret of the namespace is the one in `WCP_ATTEST_HMAC_KEY`, which is changed where it is set.
    pub fn rotate_keys(&self, rotation: &Rotation) -> Result<Rotated, Refused> {
        let namespace = &rotation.namespace;
        let now = self.now()?.whole_seconds();
        let event = self.event(EventKind::KeyAdd, now).with("namespace", namespace.as_str());
        self.attempt(&event, |event| {
            self.may(Action::Keys, Some(namespace))?;
            self.own(namespace)?;
            if rotation.overlap_ms < MIN_OVERLAP_MS {
                let message = "the overlap is at least one minute; to end a key at once, revoke it";
                return Err(Fault::Configuration(message.into()).into());
            }
            let _lock = self.lock_keys()?;
            let mut keyring = self.keys.stored().map_err(Fault::from)?;
            let algorithms = self.rotating(rotation, &keyring)?;
            let end = now.plus_millis(rotation.overlap_ms);
            let keys = &mut keyring.namespaces.entry(namespace.clone()).or_default().keys;
            let mut rotated = Rotated { added: Vec::new(), retiring: Vec::new() };
            for key in keys.iter_mut().filter(|key| algorithms.contains(&key.algorithm) && key.state(now) == KeyState::Valid) {
                // A key whose time ends sooner keeps its end: a rotation lengthens no key's life.
                if key.valid_to.is_none_or(|known| known > end) {
                    key.valid_to = Some(end);
                }
                rotated.retiring.push(key.clone());
            }
            for algorithm in algorithms {
                let plan = KeyPlan { namespace: Some(namespace.clone()), algorithm, purpose: Purpose::Attest, days: None };
                rotated.added.push(self.make_key(&plan, now)?);
            }
            keys.extend(rotated.added.iter().cloned());
            let retired = Event { kind: EventKind::KeyRetire, ..event.clone() };
            let added = rotated.added.iter().map(|key| about(event.clone(), Some(namespace), key));
            let events = added.chain(rotated.retiring.iter().map(|key| about(retired.clone(), Some(namespace), key)));
            self.keep_keyring(&keyring, events.collect::<Result<_, Fault>>()?)?;
            Ok(rotated)
        })
    }

    /// Revokes a key at once and for good: in the keyring, so that gates 3 and 4 refuse what it signed, and in the registry,
    /// so that what runs on the strength of it is stopped. Done again, it completes what an earlier attempt left undone.
    ///
    /// # Errors
    /// [`Fault::Configuration`] if the keyring's file has no such key, or it is the ledger's; `DENY_UNAUTHENTICATED`,
    /// `DENY_LEDGER_UNAVAILABLE`, `DENY_REGISTRY_UNREACHABLE` (the keyring then holds it for revoked already).
    pub fn revoke_key(&self, id: &KeyId, reason: &str) -> Result<RevokedKey, Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.event(EventKind::KeyRevoke, now).with("reason", reason);
        self.attempt(&event, |event| {
            self.may(Action::Keys, None)?;
            let (namespace, key, before) = self.revoke_in_keyring(id, now, event)?;
            let target = Target::Key(id.clone());
            let record = if self.is_revoked(&target)? {
                None
            } else {
                Some(self.stand(target, State::Revoked, Scope::Global, reason)?.record)
            };
            Ok(RevokedKey { namespace, key, before, record })
        })
    }

    /// Enters somebody else's public Ed25519 key into the keyring, for one namespace that is not the hall's own. The id is the
    /// one under which its owner signs.
    ///
    /// # Errors
    /// As [`new_key`](Self::new_key); [`Fault::Configuration`] if the namespace is the hall's own, [`Fault::Keys`] if the id or
    /// the key stands in the keyring already.
    pub fn trust_key(&self, namespace: &Namespace, id: &KeyId, public: &PublicKey) -> Result<KeyRecord, Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.event(EventKind::KeyAdd, now);
        self.attempt(&event, |event| {
            self.may(Action::Keys, Some(namespace))?;
            if self.config.owns(namespace) {
                let message = format!("the namespace {namespace} is this hall's own: its keys are made here, with their secrets");
                return Err(Fault::Configuration(message).into());
            }
            let record = KeyRecord {
                id: id.clone(),
                algorithm: Algorithm::Ed25519,
                purpose: Purpose::Attest,
                public: Some(public.to_string()),
                valid_from: now,
                valid_to: None,
                revoked_at: None,
            };
            let _lock = self.lock_keys()?;
            let mut keyring = self.keys.stored().map_err(Fault::from)?;
            keyring.namespaces.entry(namespace.clone()).or_default().keys.push(record.clone());
            let event = about(event, Some(namespace), &record)?;
            self.keep_keyring(&keyring, vec![event])?;
            Ok(record)
        })
    }

    /// Makes the key of somebody who may answer calls that wait for a person, and enters its public half into the keyring. The
    /// private half, sealed by the passphrase, is handed to `keep` before that, and is kept nowhere else.
    ///
    /// # Errors
    /// As [`new_key`](Self::new_key); [`Fault::Configuration`] if the passphrase is shorter than [`MIN_PASSPHRASE`] bytes;
    /// [`Fault::Io`] if `keep` fails, and then no key was made.
    pub fn new_approver(
        &self,
        holder: &str,
        passphrase: &[u8],
        days: Option<u32>,
        keep: impl FnOnce(&str) -> std::io::Result<()>,
    ) -> Result<Approver, Refused> {
        let now = self.now()?.whole_seconds();
        let event = self.event(EventKind::KeyAdd, now).with("holder", holder);
        self.attempt(&event, |event| {
            self.may(Action::Keys, None)?;
            if passphrase.len() < MIN_PASSPHRASE {
                let message = format!("a passphrase that seals a key has at least {MIN_PASSPHRASE} bytes");
                return Err(Fault::Configuration(message).into());
            }
            let key = SigningKey::generate().map_err(Fault::from)?;
            let sealed = key.to_sealed_pem(passphrase).map_err(Fault::from)?;
            let record = KeyRecord {
                id: key_id("approver")?,
                algorithm: Algorithm::Ed25519,
                purpose: Purpose::Approve,
                public: Some(key.public().to_string()),
                valid_from: now,
                valid_to: days.map(|days| now.plus_millis(i64::from(days).saturating_mul(DAY_MS))),
                revoked_at: None,
            };
            let approver = Approver { holder: holder.to_owned(), key: record };
            let _lock = self.lock_keys()?;
            let mut keyring = self.keys.stored().map_err(Fault::from)?;
            keyring.approvers.push(approver.clone());
            keyring.validate().map_err(Fault::from)?;
            keep(&sealed).map_err(|error| Fault::io("the file of the sealed key", &error))?;
            let event = about(event, None, &approver.key)?;
            self.keep_keyring(&keyring, vec![event])?;
            Ok(approver)
        })
    }

    fn own(&self, namespace: &Namespace) -> Result<(), Denial> {
        if self.config.owns(namespace) {
            return Ok(());
        }
        let message = format!("the namespace {namespace} is not this hall's own");
        Err(Denial::new(Code::NamespaceInvalid, message).detail("namespace", namespace.as_str()))
    }

    /// The algorithms whose keys a rotation is about.
    fn rotating(&self, rotation: &Rotation, keyring: &Keyring) -> Result<Vec<Algorithm>, Fault> {
        let namespace = &rotation.namespace;
        if rotation.algorithm == Some(Algorithm::HmacSha256) && self.config.hall.attest_env_namespace.as_ref() == Some(namespace)
        {
            let message =
                format!("the HMAC secret of {namespace} is the one in WCP_ATTEST_HMAC_KEY; it is changed where it is set");
            return Err(Fault::Configuration(message));
        }
        let algorithms: Vec<Algorithm> = match rotation.algorithm {
            Some(algorithm) => vec![algorithm],
            None => [Algorithm::HmacSha256, Algorithm::Ed25519]
                .into_iter()
                .filter(|algorithm| keyring.attesters(namespace, *algorithm).next().is_some())
                .collect(),
        };
        if algorithms.is_empty() {
            return Err(Fault::Configuration(format!("{namespace} has no key here that could be rotated; make one")));
        }
        Ok(algorithms)
    }

    fn revoke_in_keyring(
        &self,
        id: &KeyId,
        now: Timestamp,
        event: Event,
    ) -> Result<(Option<Namespace>, KeyRecord, bool), Refused> {
        let _lock = self.lock_keys()?;
        let mut keyring = self.keys.stored().map_err(Fault::from)?;
        if keyring.ledger.as_ref().is_some_and(|key| key.id == *id) {
            let message = format!("{id} signs the ledger's checkpoints, and the ledger cannot go on without it");
            return Err(Fault::Configuration(message).into());
        }
        let namespace = keyring.namespace_of(id).cloned();
        let attesters = keyring.namespaces.values_mut().flat_map(|keys| &mut keys.keys);
        let approvers = keyring.approvers.iter_mut().map(|approver| &mut approver.key);
        let key = attesters.chain(&mut keyring.certifiers).chain(approvers).find(|key| key.id == *id);
        let key = key.ok_or_else(|| Fault::Configuration(format!("the keyring has no key {id}")))?;
        let before = key.revoked_at.is_some();
        key.revoked_at.get_or_insert(now);
        let key = key.clone();
        if !before {
            let event = about(event, namespace.as_ref(), &key)?;
            self.keep_keyring(&keyring, vec![event])?;
        }
        Ok((namespace, key, before))
    }

    /// Whether this hall's organisation has taken the target back for everybody already.
    fn is_revoked(&self, target: &Target) -> Result<bool, Denial> {
        let unfinished = |denial: Denial| {
            denial
                .detail("keyring", "revoked")
                .advise("The keyring holds the key for revoked; revoke it again when the registry answers.")
        };
        let registry = self.registry().map_err(unfinished)?;
        let events = registry.standing_events(target).map_err(|error| unfinished(unreachable(&error)))?;
        let stands = |event: &StandingEvent| {
            event.issuer == self.config.hall.organisation && event.scope == Scope::Global && event.state >= State::Revoked
        };
        Ok(in_force(&events).into_iter().any(stands))
    }

    /// Makes a key and keeps its secret; the keyring does not name it yet.
    fn make_key(&self, plan: &KeyPlan, now: Timestamp) -> Result<KeyRecord, Fault> {
        let algorithm = if plan.algorithm == Algorithm::Ed25519 { "ed25519" } else { "hmac" };
        let beginning = plan.namespace.as_ref().map_or_else(|| "certifier".to_owned(), |ns| format!("{ns}/{algorithm}"));
        let mut record = KeyRecord {
            id: key_id(&beginning)?,
            algorithm: plan.algorithm,
            purpose: plan.purpose,
            public: None,
            valid_from: now,
            valid_to: plan.days.map(|days| now.plus_millis(i64::from(days).saturating_mul(DAY_MS))),
            revoked_at: None,
        };
        if plan.algorithm == Algorithm::Ed25519 {
            let key = SigningKey::generate()?;
            record.public = Some(key.public().to_string());
            self.keys.save_signing_key(&record.id, &key)?;
        } else {
            self.keys.save_hmac_secret(&record.id, &Secret::generate()?)?;
        }
        Ok(record)
    }

    /// Records what changes in the keyring, and then lets it count: a keyring never says what the ledger does not know.
    fn keep_keyring(&self, keyring: &Keyring, events: Vec<Event>) -> Result<(), Refused> {
        keyring.validate().map_err(Fault::from)?;
        self.ledger()?.append(events).map_err(|error| error.denial())?;
        self.keys.save(keyring).map_err(Fault::from)?;
        Ok(())
    }

    /// Keeps other processes from changing the keyring until the handle is dropped.
    pub(super) fn lock_keys(&self) -> Result<File, Fault> {
        let io = |error: std::io::Error| Fault::io("the lock of the keyring", &error);
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(0o600);
        let file = self.folder.part(KEYS)?.open_with("keyring.lock", &options).map_err(io)?;
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).map_err(|error| io(error.into()))?;
        Ok(file)
    }
}

/// The event with the key it is about.
fn about(event: Event, namespace: Option<&Namespace>, key: &KeyRecord) -> Result<Event, Fault> {
    let value = serde_json::to_value(key).map_err(|error| Fault::Configuration(error.to_string()))?;
    let event = event.with("key", value);
    Ok(match namespace {
        Some(namespace) => event.with("namespace", namespace.as_str()),
        None => event,
    })
}

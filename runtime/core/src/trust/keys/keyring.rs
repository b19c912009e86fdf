//! Which key counts for which namespace, for what, and when.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::id::{KeyId, Namespace};
use crate::json;

use super::{KeyError, PublicKey};

const SCHEMA_VERSION: &str = "skillhall.keyring.v1";
const MAX_KEYS: usize = 4096;

/// How a key signs. It belongs to the key; nothing that an envelope says can change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Algorithm {
    /// HMAC with SHA-256 over awp.v1's signed bytes.
    #[serde(rename = "hmac-sha256")]
    HmacSha256,
    /// Ed25519 over DSSE's pre-authentication encoding.
    #[serde(rename = "ed25519")]
    Ed25519,
}

/// What a key may sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Packages of its namespace.
    Attest,
    /// Certification statements.
    Certify,
    /// Checkpoints of the ledger.
    Ledger,
    /// Answers to calls that wait for a person.
    Approve,
}

/// Which form of attestation a namespace requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Require {
    /// awp.v1. The default for one's own namespaces.
    Hmac,
    /// DSSE. The default for every other namespace, because whoever can check an HMAC can forge it.
    Ed25519,
    /// Both.
    Both,
}

impl Require {
    /// Whether awp.v1 is required.
    #[must_use]
    pub fn hmac(self) -> bool {
        matches!(self, Self::Hmac | Self::Both)
    }

    /// Whether DSSE is required.
    #[must_use]
    pub fn ed25519(self) -> bool {
        matches!(self, Self::Ed25519 | Self::Both)
    }
}

/// How a key stands at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// It counts.
    Valid,
    /// Its time has not begun.
    NotYetValid,
    /// Its time is over.
    Expired,
    /// Its owner took it back.
    Revoked,
}

/// One key. The secret half is never in here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRecord {
    /// Unique in the keyring.
    pub id: KeyId,
    /// How it signs.
    pub algorithm: Algorithm,
    /// What it may sign.
    pub purpose: Purpose,
    /// The public key in hexadecimal: there for Ed25519, absent for HMAC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// From when on it counts.
    pub valid_from: Timestamp,
    /// From when on it counts no longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<Timestamp>,
    /// When its owner revoked it. A key with this set is revoked whatever the clock says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl KeyRecord {
    /// How the key stands at this moment.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> KeyState {
        if self.revoked_at.is_some() {
            KeyState::Revoked
        } else if now < self.valid_from {
            KeyState::NotYetValid
        } else if self.valid_to.is_some_and(|end| now >= end) {
            KeyState::Expired
        } else {
            KeyState::Valid
        }
    }

    /// The public key of an Ed25519 record.
    ///
    /// # Errors
    /// If it has none, or one that may not be used.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        match (&self.public, self.algorithm) {
            (Some(text), Algorithm::Ed25519) => text.parse().map_err(|error| match error {
                KeyError::Weak(_) => KeyError::Weak(format!("the key {}", self.id)),
                other => KeyError::Malformed(format!("the key {}: {other}", self.id)),
            }),
            _ => Err(KeyError::Malformed(format!("the key {} has no Ed25519 public key", self.id))),
        }
    }

    fn validate(&self, purpose: Purpose) -> Result<(), KeyError> {
        let fault = |message: &str| Err(KeyError::Malformed(format!("the key {} {message}", self.id)));
        if self.purpose != purpose {
            return fault("stands in a place that is not its purpose");
        }
        if self.id.as_str().starts_with("env:") {
            return fault("has an id that is kept for secrets from the environment");
        }
        if self.valid_to.is_some_and(|end| end <= self.valid_from) {
            return fault("ends before it begins");
        }
        match self.algorithm {
            Algorithm::Ed25519 => self.public_key().map(|_| ()),
            Algorithm::HmacSha256 if purpose != Purpose::Attest => fault("must be Ed25519 for its purpose"),
            Algorithm::HmacSha256 if self.public.is_some() => fault("is an HMAC key and has no public half"),
            Algorithm::HmacSha256 => Ok(()),
        }
    }
}

/// A namespace's keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamespaceKeys {
    /// Which form of attestation is required; absent: the default of [`Keyring::require`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<Require>,
    /// Its keys, all for attesting.
    pub keys: Vec<KeyRecord>,
}

/// A person who may answer calls that wait for one, and the key by which they do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approver {
    /// The person, by the name that they have as a caller, if they are one.
    pub holder: String,
    /// Their key.
    pub key: KeyRecord,
}

/// Every key that a host knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keyring {
    /// Keys by the one namespace for which they count.
    pub namespaces: BTreeMap<Namespace, NamespaceKeys>,
    /// The namespaces that belong to this host's owner.
    pub own: Vec<Namespace>,
    /// Keys of certifiers.
    pub certifiers: Vec<KeyRecord>,
    /// The key of this host's ledger.
    pub ledger: Option<KeyRecord>,
    /// Who may answer calls that wait for a person.
    pub approvers: Vec<Approver>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema_version: String,
    namespaces: BTreeMap<Namespace, NamespaceKeys>,
    own: Vec<Namespace>,
    certifiers: Vec<KeyRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ledger: Option<KeyRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    approvers: Vec<Approver>,
}

impl Keyring {
    /// Reads a keyring file strictly.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] if it is no keyring, a key id or a public key comes twice, or a key stands in the wrong
    /// place; [`KeyError::Weak`] if a key is of small order.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        let file: File = json::parse_as(bytes).map_err(|error| KeyError::Malformed(format!("the keyring: {error}")))?;
        if file.schema_version != SCHEMA_VERSION {
            return Err(KeyError::Malformed(format!("the keyring is of another version than {SCHEMA_VERSION}")));
        }
        let keyring = Self {
            namespaces: file.namespaces,
            own: file.own,
            certifiers: file.certifiers,
            ledger: file.ledger,
            approvers: file.approvers,
        };
        keyring.validate()?;
        Ok(keyring)
    }

    /// The keyring as a file: canonical JSON.
    ///
    /// # Errors
    /// As [`validate`](Self::validate): what could not be read again is not written.
    pub fn to_bytes(&self) -> Result<Vec<u8>, KeyError> {
        self.validate()?;
        let file = File {
            schema_version: SCHEMA_VERSION.to_owned(),
            namespaces: self.namespaces.clone(),
            own: self.own.clone(),
            certifiers: self.certifiers.clone(),
            ledger: self.ledger.clone(),
            approvers: self.approvers.clone(),
        };
        json::canonical(&file).map_err(|error| KeyError::Malformed(format!("the keyring: {error}")))
    }

    /// Checks that ids and public keys are unique, keys are strong and stand where their purpose belongs.
    ///
    /// # Errors
    /// [`KeyError::Malformed`] or [`KeyError::Weak`], naming the key.
    pub fn validate(&self) -> Result<(), KeyError> {
        let (mut ids, mut publics) = (BTreeSet::new(), BTreeSet::new());
        for (purpose, record) in self.records() {
            record.validate(purpose)?;
            if !ids.insert(&record.id) {
                return Err(KeyError::Malformed(format!("the key id {} comes twice", record.id)));
            }
            if record.public.as_ref().is_some_and(|public| !publics.insert(public)) {
                return Err(KeyError::Malformed(format!("the public key of {} stands under another id, too", record.id)));
            }
        }
        if ids.len() > MAX_KEYS {
            return Err(KeyError::Malformed(format!("the keyring holds more than {MAX_KEYS} keys")));
        }
        if let Some(approver) = self.approvers.iter().find(|approver| !is_name(&approver.holder)) {
            let message = format!("the holder of {} is 1 to 128 printable characters", approver.key.id);
            return Err(KeyError::Malformed(message));
        }
        if self.own.iter().collect::<BTreeSet<_>>().len() != self.own.len() {
            return Err(KeyError::Malformed("an own namespace comes twice".into()));
        }
        Ok(())
    }

    fn records(&self) -> impl Iterator<Item = (Purpose, &KeyRecord)> {
        let attest = self.namespaces.values().flat_map(|namespace| &namespace.keys).map(|record| (Purpose::Attest, record));
        let certify = self.certifiers.iter().map(|record| (Purpose::Certify, record));
        let approve = self.approvers.iter().map(|approver| (Purpose::Approve, &approver.key));
        attest.chain(certify).chain(self.ledger.iter().map(|record| (Purpose::Ledger, record))).chain(approve)
    }

    /// Whether the namespace belongs to this host's owner.
    #[must_use]
    pub fn owns(&self, namespace: &Namespace) -> bool {
        self.own.contains(namespace)
    }

    /// Which form of attestation the namespace requires: what the keyring says, else HMAC for one's own and Ed25519 for
    /// every other.
    #[must_use]
    pub fn require(&self, namespace: &Namespace) -> Require {
        let default = if self.owns(namespace) { Require::Hmac } else { Require::Ed25519 };
        self.namespaces.get(namespace).and_then(|keys| keys.require).unwrap_or(default)
    }

    /// The namespace's keys that attest with this algorithm, whatever their state.
    pub fn attesters(&self, namespace: &Namespace, algorithm: Algorithm) -> impl Iterator<Item = &KeyRecord> {
        let keys = self.namespaces.get(namespace).map(|keys| keys.keys.as_slice()).unwrap_or_default();
        keys.iter().filter(move |record| record.algorithm == algorithm && record.purpose == Purpose::Attest)
    }

    /// The certifier's key with this id, whatever its state.
    #[must_use]
    pub fn certifier(&self, id: &KeyId) -> Option<&KeyRecord> {
        self.certifiers
            .iter()
            .find(|record| record.id == *id && record.algorithm == Algorithm::Ed25519 && record.purpose == Purpose::Certify)
    }

    /// The approver whose key has this id, whatever its state.
    #[must_use]
    pub fn approver(&self, id: &KeyId) -> Option<&Approver> {
        self.approvers.iter().find(|approver| approver.key.id == *id && approver.key.purpose == Purpose::Approve)
    }

    /// The namespace that a key attests for, if the keyring knows the key as an attester.
    #[must_use]
    pub fn namespace_of(&self, id: &KeyId) -> Option<&Namespace> {
        self.namespaces.iter().find(|(_, keys)| keys.keys.iter().any(|record| record.id == *id)).map(|(namespace, _)| namespace)
    }
}

fn is_name(text: &str) -> bool {
    (1..=128).contains(&text.len()) && !text.chars().any(char::is_control)
}

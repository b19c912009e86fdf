//! A person's answer to a call that waits for one, signed by the person's key. So whoever can write to the registry, but
//! has no approver's key, approves nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::KeyId;

use super::dsse::{self, DsseError, Envelope};
use super::keys::{PublicKey, SigningKey};
use super::statement::Statement;

/// The type of an answer's predicate.
pub const PREDICATE_TYPE: &str = "https://github.com/skillhall/skillhall/approval/v1";

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It may run, once.
    Approved,
    /// It may not.
    Rejected,
}

/// What a person signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// The approval's id.
    pub approval: String,
    /// Yes or no.
    pub answer: Answer,
    /// What it is for.
    pub bound: BTreeMap<String, String>,
    /// The key that signs.
    pub approver: KeyId,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Until when a yes may be used; of a no, the time at which it was said.
    pub until: Timestamp,
}

/// The answer as a DSSE envelope around an in-toto statement about the manifest of the skill that would run.
///
/// # Errors
/// [`DsseError::Malformed`] if it has no canonical form or is too large.
pub fn sign(manifest: Digest, resolution: Resolution, key: &SigningKey) -> Result<Vec<u8>, DsseError> {
    let id = resolution.approver.clone();
    let statement = Statement::about_manifest(manifest, PREDICATE_TYPE, resolution);
    let payload = statement.to_bytes().map_err(|error| DsseError::Malformed(error.to_string()))?;
    dsse::sign(&payload, &id, key)
}

/// The answer about this manifest that the key has signed.
///
/// # Errors
/// [`DsseError`] if it is no such answer.
pub fn verify(envelope: &[u8], manifest: Digest, key: &PublicKey) -> Result<Resolution, DsseError> {
    let envelope = Envelope::parse(envelope)?;
    let payload = envelope.signatures().iter().find_map(|signature| envelope.open(signature, key, None));
    let statement = Statement::<Resolution>::read(payload.ok_or(DsseError::Unfit)?, PREDICATE_TYPE)
        .map_err(|error| DsseError::Malformed(error.to_string()))?;
    if !statement.is_about_manifest(manifest) {
        return Err(DsseError::Malformed("it is about another manifest".to_owned()));
    }
    Ok(statement.predicate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolution() -> Resolution {
        Resolution {
            approval: "a1".to_owned(),
            answer: Answer::Approved,
            bound: BTreeMap::from([("tool".to_owned(), "redact".to_owned())]),
            approver: "approver/ada".parse().unwrap(),
            reason: "seen".to_owned(),
            at: Timestamp::from_millis(1),
            until: Timestamp::from_millis(2),
        }
    }

    #[test]
    fn an_answer_counts_for_its_manifest_and_its_key_alone() {
        let (key, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let manifest = Digest::of(b"manifest");
        let envelope = sign(manifest, resolution(), &key).unwrap();
        assert_eq!(verify(&envelope, manifest, &key.public()), Ok(resolution()));
        assert_eq!(verify(&envelope, manifest, &other.public()), Err(DsseError::Unfit));
        assert!(matches!(verify(&envelope, Digest::of(b"other"), &key.public()), Err(DsseError::Malformed(_))));
    }

    #[test]
    fn no_byte_of_an_answer_can_be_changed() {
        let key = SigningKey::from_seed(&[1; 32]);
        let manifest = Digest::of(b"manifest");
        let envelope = sign(manifest, resolution(), &key).unwrap();
        for place in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[place] ^= 1;
            // The key id in an envelope is a hint that nobody believes.
            if let Ok(read) = verify(&changed, manifest, &key.public()) {
                assert_eq!(read, resolution(), "byte {place}");
            }
        }
    }
}

//! What the gate [`verify`](super::verify::verify) is told by the registry, and what it finds.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::KeyId;

use super::keys::Require;

/// What the registry says at this moment about the version that is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// SHA-256 of skill.json, as published.
    pub manifest_hash: Digest,
    /// SHA-256 of component.wasm, as published.
    pub component_hash: Digest,
    /// WCP's package hash, as published.
    pub package_hash: Digest,
    /// SHA-256 of each adapter by path, as published.
    pub adapters: &'a BTreeMap<String, Digest>,
    /// Certifications of this manifest hash, oldest first.
    pub certifications: &'a [CertificationInput<'a>],
}

/// A certification as the registry holds it.
#[derive(Clone, Copy, Debug)]
pub struct CertificationInput<'a> {
    /// The statement's id.
    pub id: &'a str,
    /// The signed text.
    pub body: &'a str,
    /// The key that the registry says has signed it.
    pub signer: &'a KeyId,
    /// Whether it was revoked.
    pub revoked: bool,
}

/// What was found of one form of attestation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// It is there and good.
    Verified {
        /// The key that signed.
        key: KeyId,
    },
    /// It is there, is not required, and no key could judge it.
    NotRequiredUnchecked {
        /// Why not.
        reason: String,
    },
    /// It is not there and not required.
    Absent,
}

/// What gate 3 found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AttestationFacts {
    /// The awp.v1 form.
    pub hmac: Form,
    /// The DSSE form.
    pub ed25519: Form,
    /// What was required; `None` if the owner's own skill in a local hall asked for none.
    pub required: Option<Require>,
}

impl AttestationFacts {
    /// The keys whose signatures were found good.
    #[must_use]
    pub fn keys(&self) -> Vec<&KeyId> {
        let forms = [&self.hmac, &self.ed25519];
        forms.into_iter().filter_map(|form| if let Form::Verified { key } = form { Some(key) } else { None }).collect()
    }
}

/// What gate 4 found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CertificationFacts {
    /// The statement's id.
    pub id: String,
    /// The certifier's key.
    pub certifier: KeyId,
    /// The policy tier it asks for, 0 to 8.
    pub policy_tier: u8,
    /// From when on it counts.
    pub issued_at: Timestamp,
    /// From when on it counts no longer.
    pub expires_at: Timestamp,
}

//! Attesting a package: who vouches for its bytes, in either form or both.

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::{KeyId, Namespace, SkillName};
use crate::package::{Manifest, Package};

use super::awp::{self, Provenance, Worker};
use super::dsse;
use super::keys::{Secret, SigningKey};
use super::statement::Statement;

/// The type of an attestation's predicate.
pub const PREDICATE_TYPE: &str = "https://github.com/skillhall/skillhall/attestation/v1";

/// What a DSSE attestation says about its subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attestation {
    /// Who the skill belongs to.
    pub namespace: Namespace,
    /// Its name.
    pub name: SkillName,
    /// Its version.
    pub version: Version,
    /// Who wrote it, as skill.json says.
    pub authors: Vec<String>,
    /// Where it was built.
    pub builder: String,
    /// When it was attested.
    pub attested_at: Timestamp,
    /// The key that signed.
    pub key_id: KeyId,
}

impl Attestation {
    /// Whether it is about this very skill.
    #[must_use]
    pub fn names(&self, manifest: &Manifest) -> bool {
        self.namespace == manifest.namespace
            && self.name == manifest.name
            && self.version == manifest.version
            && self.authors == manifest.authors
    }
}

/// The package with attestations by the keys that are given. A form for which no key is given stays as it is.
///
/// # Errors
/// `ATTEST_SIGNATURE_MISSING` if no key is given, `ATTEST_KEY_WEAK` if the secret is under 32 bytes, and
/// `ATTEST_PACKAGE_LAYOUT` if an attestation would be too large.
pub fn attest(
    package: &Package,
    secret: Option<&Secret>,
    ed25519: Option<(&KeyId, &SigningKey)>,
    builder: &str,
    at: Timestamp,
) -> Result<Package, Denial> {
    if secret.is_none() && ed25519.is_none() {
        return Err(Denial::new(Code::SignatureMissing, "there is no key to attest with"));
    }
    let awp = match secret {
        Some(secret) => Some(awp_manifest(package, secret, builder, at)?),
        None => package.awp_manifest().map(<[u8]>::to_vec),
    };
    let envelope = match ed25519 {
        Some((id, key)) => Some(dsse_envelope(package, id, key, builder, at)?),
        None => package.dsse_envelope().map(<[u8]>::to_vec),
    };
    package.with_attestations(awp, envelope).map_err(|error| error.denial())
}

fn awp_manifest(package: &Package, secret: &Secret, builder: &str, at: Timestamp) -> Result<Vec<u8>, Denial> {
    if secret.is_weak() {
        return Err(Denial::new(Code::KeyWeak, "the HMAC secret is shorter than 32 bytes"));
    }
    let manifest = package.manifest();
    let worker = Worker::of(&manifest.id());
    let provenance = Provenance { build_source: builder, built_at: at, attested_at: at };
    awp::attest(&awp::hash_of_package(package), &worker, &manifest.version.to_string(), provenance, secret)
}

fn dsse_envelope(package: &Package, id: &KeyId, key: &SigningKey, builder: &str, at: Timestamp) -> Result<Vec<u8>, Denial> {
    let manifest = package.manifest();
    let predicate = Attestation {
        namespace: manifest.namespace.clone(),
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        authors: manifest.authors.clone(),
        builder: builder.to_owned(),
        attested_at: at,
        key_id: id.clone(),
    };
    let refused = |message: String| Denial::new(Code::PackageLayout, message);
    let payload = Statement::about(package, PREDICATE_TYPE, predicate).to_bytes().map_err(|error| refused(error.to_string()))?;
    dsse::sign(&payload, id, key).map_err(|error| refused(error.to_string()))
}

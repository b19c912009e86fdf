//! Certification: a certifier has checked a package's bytes and says so, for a time.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::KeyId;
use crate::package::Package;

use super::dsse::{self, Envelope};
use super::keys::{PublicKey, SigningKey, Verdicts};
use super::statement::Statement;

/// The type of a certification's predicate.
pub const PREDICATE_TYPE: &str = "https://github.com/skillhall/skillhall/certification/v1";

/// The highest policy tier.
pub const MAX_POLICY_TIER: u8 = 8;

/// One check of a certifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckResult {
    /// Which check.
    pub name: String,
    /// Whether it passed.
    pub ok: bool,
    /// What was found.
    pub message: String,
}

/// What a certification says about its subjects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Certification {
    /// The statement's id, unique in the registry.
    pub id: String,
    /// What was checked.
    pub checks: Vec<CheckResult>,
    /// 0 to 8: the scrutiny that the certifier asks for.
    pub policy_tier: u8,
    /// From when on it counts.
    pub issued_at: Timestamp,
    /// From when on it counts no longer.
    pub expires_at: Timestamp,
    /// The key that signed.
    pub certifier: KeyId,
}

impl Certification {
    fn fault(&self) -> Option<String> {
        if let Some(failed) = self.checks.iter().find(|check| !check.ok) {
            return Some(format!("the check {} did not pass: {}", failed.name, failed.message));
        }
        if self.checks.is_empty() {
            return Some("nothing was checked".into());
        }
        if self.expires_at <= self.issued_at {
            return Some("it ends before it begins".into());
        }
        (self.policy_tier > MAX_POLICY_TIER).then(|| format!("the policy tier {} is above {MAX_POLICY_TIER}", self.policy_tier))
    }
}

/// The certification of a package as a DSSE envelope, signed by the key that it names as its certifier.
///
/// # Errors
/// `DENY_CERTIFICATION_REFUSED` if a check did not pass, there is none, or its times or tier make no sense.
pub fn sign(package: &Package, certification: Certification, key: &SigningKey) -> Result<Vec<u8>, Denial> {
    let refused = |message: String| Denial::new(Code::CertificationRefused, message);
    if let Some(fault) = certification.fault() {
        return Err(refused(fault));
    }
    let id = certification.certifier.clone();
    let payload =
        Statement::about(package, PREDICATE_TYPE, certification).to_bytes().map_err(|error| refused(error.to_string()))?;
    dsse::sign(&payload, &id, key).map_err(|error| refused(error.to_string()))
}

/// Reads a certification of this package that the key with this id has signed. Its time and standing are not judged.
///
/// # Errors
/// `DENY_CERTIFICATION_INVALID` if it is no such certification.
pub fn verify(
    body: &[u8],
    package: &Package,
    id: &KeyId,
    key: &PublicKey,
    verdicts: Option<&Verdicts>,
) -> Result<Certification, Denial> {
    let invalid = |message: String| Denial::new(Code::CertificationInvalid, message);
    let envelope = Envelope::parse(body).map_err(|error| invalid(error.to_string()))?;
    let payload = envelope.signatures().iter().find_map(|signature| envelope.open(signature, key, verdicts));
    let payload = payload.ok_or_else(|| invalid(format!("no signature in it is one of the certifier's key {id}")))?;
    let statement =
        Statement::<Certification>::read(payload, PREDICATE_TYPE).map_err(|error| invalid(format!("the statement: {error}")))?;
    statement.check_subjects(package).map_err(|error| invalid(error.to_string()))?;
    let certification = statement.predicate;
    if certification.certifier != *id {
        return Err(invalid(format!("it names {} as its certifier, but {id} signed it", certification.certifier)));
    }
    certification.fault().map_or(Ok(certification), |fault| Err(invalid(fault)))
}

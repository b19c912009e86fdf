//! Gates 2 to 4 of an execution: the package is whole, attested and certified.
//!
//! A leaf file: [`VerifiedPackage`] has no other constructor than [`verify`], and a child module could forge one.

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::denial::{Code, Denial, Stage};
use crate::digest::Digest;
use crate::id::{KeyId, Namespace};
use crate::package::Package;
use crate::package::build::check_imports;
use crate::package::files::{COMPONENT, SKILL_JSON};

use super::attest::{self, Attestation};
use super::awp::{self, AwpManifest, Worker};
use super::certify;
use super::dsse::{Envelope, EnvelopeSignature, Verified};
use super::facts::{AttestationFacts, CertificationFacts, CertificationInput, Expected, Form};
use super::keys::{Algorithm, KeyRecord, KeySource, KeyState, Keyring, Require};
use super::statement::Statement;

/// A package that has passed gates 2 to 4 at one moment. It is made by [`verify`] only and cannot be copied.
#[derive(Debug)]
pub struct VerifiedPackage {
    package: Arc<Package>,
    package_hash: Digest,
    attestation: AttestationFacts,
    certification: CertificationFacts,
}

impl VerifiedPackage {
    /// The package: the bytes that were judged.
    #[must_use]
    pub fn package(&self) -> &Arc<Package> {
        &self.package
    }

    /// WCP's package hash of these bytes.
    #[must_use]
    pub fn package_hash(&self) -> Digest {
        self.package_hash
    }

    /// What gate 3 found.
    #[must_use]
    pub fn attestation(&self) -> &AttestationFacts {
        &self.attestation
    }

    /// What gate 4 found.
    #[must_use]
    pub fn certification(&self) -> &CertificationFacts {
        &self.certification
    }

    /// Every key on which the verdict rests: a ban of one of them stops the skill.
    #[must_use]
    pub fn keys_used(&self) -> Vec<&KeyId> {
        self.attestation.keys().into_iter().chain([&self.certification.certifier]).collect()
    }
}

/// Judges a package at this moment: it is the one that was published (gate 2), it is attested in the form that its
/// namespace requires (gate 3), and a certifier's statement about it counts now (gate 4).
///
/// `local_own` says that this is the owner's own local hall; only there, and only for namespaces that the keyring calls
/// own, does `attestation_required = false` in the manifest count. `observer` is told each gate when it is passed.
///
/// # Errors
/// The denial of the first gate that does not pass.
pub fn verify(
    package: Arc<Package>,
    expected: &Expected<'_>,
    keys: &dyn KeySource,
    now: Timestamp,
    local_own: bool,
    observer: &mut dyn FnMut(Stage),
) -> Result<VerifiedPackage, Denial> {
    let package_hash = awp::hash_of_package(&package);
    let keyring = keys.keyring();
    let required = keyring.as_ref().ok().and_then(|keyring| requirement(&package, keyring, local_own));
    let manifest = whole(&package, &package_hash, expected, required)?;
    observer(Stage::Package);

    let keyring = keyring.map_err(|error| error.denial())?;
    let gate = Gate { package: &package, namespace: &package.manifest().namespace, keyring: &keyring, keys, now };
    let attestation = gate.attested(manifest.as_ref(), required)?;
    observer(Stage::Attestation);

    let certification = gate.certified(expected.certifications)?;
    observer(Stage::Certification);
    Ok(VerifiedPackage { package, package_hash, attestation, certification })
}

/// Gate 3 alone, for what comes before any run: certify, publish, install. It proves nothing about a run.
///
/// # Errors
/// The denial of gate 3.
pub fn attested(package: &Package, keys: &dyn KeySource, now: Timestamp, local_own: bool) -> Result<AttestationFacts, Denial> {
    let keyring = keys.keyring().map_err(|error| error.denial())?;
    let required = requirement(package, &keyring, local_own);
    let manifest = match package.awp_manifest() {
        None if !required.is_some_and(Require::hmac) => None,
        bytes => Some(awp::readable(bytes)?),
    };
    let gate = Gate { package, namespace: &package.manifest().namespace, keyring: &keyring, keys, now };
    gate.attested(manifest.as_ref(), required)
}

fn requirement(package: &Package, keyring: &Keyring, local_own: bool) -> Option<Require> {
    let manifest = package.manifest();
    let waived = local_own && !manifest.attestation_required && keyring.owns(&manifest.namespace);
    (!waived).then(|| keyring.require(&manifest.namespace))
}

/// Gate 2. What is compared are the digests of the very buffers held.
fn whole(
    package: &Package,
    package_hash: &Digest,
    expected: &Expected<'_>,
    required: Option<Require>,
) -> Result<Option<AwpManifest>, Denial> {
    let must_be_there = required.is_some_and(Require::hmac);
    let manifest = match package.awp_manifest() {
        None if !must_be_there => None,
        bytes => Some(awp::readable(bytes)?),
    };
    let skill = package.manifest();
    same(SKILL_JSON, &expected.manifest_hash, &package.manifest_hash())?;
    same(COMPONENT, &expected.component_hash, &skill.component.sha256)?;
    // What was checked when it was built is checked again before it runs.
    check_imports(&skill.component.imports, &skill.capabilities)?;
    for (path, found) in &skill.adapters {
        let published = expected.adapters.get(path).ok_or_else(|| mismatch(&format!("{path} was not published")))?;
        same(path, published, found)?;
    }
    if let Some(path) = expected.adapters.keys().find(|path| !skill.adapters.contains_key(*path)) {
        return Err(mismatch(&format!("{path} was published and is not in the package")));
    }
    same("the package", &expected.package_hash, package_hash)?;
    if let Some(manifest) = &manifest {
        awp::check_package_hash(manifest, package_hash)?;
    }
    Ok(manifest)
}

fn same(what: &str, published: &Digest, found: &Digest) -> Result<(), Denial> {
    if published == found {
        return Ok(());
    }
    Err(mismatch(&format!("{what} has the hash {found}, but {published} was published"))
        .detail("file", what)
        .detail("expected_hash", published.to_string())
        .detail("computed_hash", found.to_string()))
}

fn mismatch(message: &str) -> Denial {
    Denial::new(Code::HashMismatch, message)
}

/// What gates 3 and 4 judge by.
struct Gate<'a> {
    package: &'a Package,
    namespace: &'a Namespace,
    keyring: &'a Keyring,
    keys: &'a dyn KeySource,
    now: Timestamp,
}

/// What the signatures of one form came to.
#[derive(Default)]
struct Tally<T> {
    good: Option<(KeyId, T)>,
    /// A right signature of a key that is not in its time, or why no key could judge.
    unproven: Option<Denial>,
}

impl<T> Tally<T> {
    /// Counts a right signature of this key. Only a revoked key ends the matter at once, whatever else signed.
    fn count(&mut self, record: &KeyRecord, now: Timestamp, value: T) -> Result<(), Denial> {
        let id = &record.id;
        let unproven = match record.state(now) {
            KeyState::Valid => {
                self.good.get_or_insert_with(|| (id.clone(), value));
                return Ok(());
            }
            KeyState::Revoked => return Err(Denial::new(Code::KeyRevoked, format!("the key {id} was revoked"))),
            KeyState::NotYetValid => {
                Denial::new(Code::KeyNotYetValid, format!("the key {id} is valid from {} on", record.valid_from))
            }
            KeyState::Expired => {
                let end = record.valid_to.map(|end| end.to_string()).unwrap_or_default();
                Denial::new(Code::KeyExpired, format!("the key {id} was valid until {end}"))
            }
        };
        self.unproven = Some(unproven.detail("key", id.as_str()));
        Ok(())
    }
}

impl Gate<'_> {
    /// Gate 3.
    fn attested(&self, manifest: Option<&AwpManifest>, required: Option<Require>) -> Result<AttestationFacts, Denial> {
        let hmac = self.hmac(manifest, required.is_some_and(Require::hmac))?;
        let ed25519 = self.ed25519(required.is_some_and(Require::ed25519))?;
        Ok(AttestationFacts { hmac, ed25519, required })
    }

    /// awp.v1 names no key, so every secret of the namespace that is at hand is tried.
    fn hmac(&self, manifest: Option<&AwpManifest>, required: bool) -> Result<Form, Denial> {
        let missing = |message: &str| Denial::new(Code::SignatureMissing, format!("{}: {message}", self.namespace));
        let Some(manifest) = manifest else {
            return if required { Err(missing("there is no manifest.json")) } else { Ok(Form::Absent) };
        };
        let form = if manifest.signature().is_none() {
            if required {
                return Err(missing("manifest.json has no signature"));
            }
            Form::Absent
        } else {
            let tally = self.tally_hmac(manifest, missing("no HMAC key of the namespace is at hand"))?;
            settle(tally, required)?.0
        };
        self.check_awp_ids(manifest)?;
        Ok(form)
    }

    fn tally_hmac(&self, manifest: &AwpManifest, no_key: Denial) -> Result<Tally<()>, Denial> {
        let invalid = || Denial::new(Code::SigInvalid, "the HMAC signature in manifest.json does not fit");
        let (payload, tag) = (manifest.signing_payload(), manifest.tag().ok_or_else(invalid)?);
        let (mut tally, mut wrong) = (Tally { good: None, unproven: Some(no_key) }, false);
        let mut fits = false;
        for record in self.keyring.attesters(self.namespace, Algorithm::HmacSha256) {
            let secret = self.keys.hmac_secret(&record.id, self.namespace).map_err(|error| error.denial())?;
            match secret {
                None => {}
                Some(secret) if secret.is_weak() => {
                    let weak = Denial::new(Code::KeyWeak, format!("the HMAC secret {} is shorter than 32 bytes", record.id));
                    if !fits {
                        tally.unproven = Some(weak.detail("key", record.id.as_str()));
                    }
                }
                Some(secret) if secret.verify(&payload, &tag) => {
                    fits = true;
                    tally.count(record, self.now, ())?;
                }
                Some(_) => wrong = true,
            }
        }
        if wrong && !fits { Err(invalid()) } else { Ok(tally) }
    }

    fn check_awp_ids(&self, manifest: &AwpManifest) -> Result<(), Denial> {
        let skill = self.package.manifest();
        awp::check_worker(manifest, &Worker::of(&skill.id()))?;
        let version = skill.version.to_string();
        if manifest.worker_version.as_deref() == Some(&version) {
            return Ok(());
        }
        Err(Denial::new(Code::ManifestIdMismatch, format!("manifest.json is not about version {version}"))
            .detail("manifest_worker_version", manifest.worker_version.clone())
            .detail("expected_worker_version", version))
    }

    fn ed25519(&self, required: bool) -> Result<Form, Denial> {
        let Some(bytes) = self.package.dsse_envelope() else {
            let denial =
                Denial::new(Code::Ed25519Required, format!("{} requires Ed25519, and manifest.sig is missing", self.namespace));
            return if required { Err(denial) } else { Ok(Form::Absent) };
        };
        let envelope = Envelope::parse(bytes).map_err(|error| Denial::new(Code::SigInvalid, format!("manifest.sig: {error}")))?;
        let (form, payload) = settle(self.tally_ed25519(&envelope)?, required)?;
        if let (Form::Verified { key }, Some(payload)) = (&form, payload) {
            self.check_statement(payload, key)?;
        }
        Ok(form)
    }

    fn tally_ed25519<'e>(&self, envelope: &'e Envelope) -> Result<Tally<Verified<'e>>, Denial> {
        let (mut tally, mut foreign, mut fits) = (Tally { good: None, unproven: None }, None, false);
        for signature in envelope.signatures() {
            let candidates = self.candidates(signature);
            if candidates.is_empty() {
                match self.stranger(signature) {
                    denial if denial.code == Code::NamespaceInvalid => foreign = Some(denial),
                    denial if !fits => tally.unproven = Some(denial),
                    _ => {}
                }
                continue;
            }
            let mut fitted = false;
            for record in candidates {
                let key = record.public_key().map_err(|error| error.denial())?;
                if let Some(payload) = envelope.open(signature, &key, self.keys.verdicts()) {
                    fitted = true;
                    tally.count(record, self.now, payload)?;
                }
            }
            if !fitted {
                return Err(Denial::new(Code::SigInvalid, "a signature in manifest.sig does not fit its key"));
            }
            fits = true;
        }
        match foreign {
            Some(denial) if !fits => Err(denial),
            _ => Ok(tally),
        }
    }

    /// The namespace's keys that could have made a signature: the one that its hint names, or all if it names none.
    fn candidates(&self, signature: &EnvelopeSignature) -> Vec<&KeyRecord> {
        let keys = self.keyring.attesters(self.namespace, Algorithm::Ed25519);
        keys.filter(|record| signature.hint.as_deref().is_none_or(|hint| hint == record.id.as_str())).collect()
    }

    /// What to say of a signature for which the namespace has no key.
    fn stranger(&self, signature: &EnvelopeSignature) -> Denial {
        let shown: String = signature.hint.as_deref().unwrap_or("").chars().take(128).flat_map(char::escape_default).collect();
        let id = shown.parse::<KeyId>().ok();
        if let Some(owner) = id.as_ref().and_then(|id| self.keyring.namespace_of(id)).filter(|owner| *owner != self.namespace) {
            let message = format!("the key {shown} belongs to {owner}, and the package to {}", self.namespace);
            return Denial::new(Code::NamespaceInvalid, message).detail("key", shown);
        }
        let message = format!("the keyring names no Ed25519 key '{shown}' for {}", self.namespace);
        Denial::new(Code::KeyUnknown, message).detail("key", shown)
    }

    fn check_statement(&self, payload: Verified<'_>, key: &KeyId) -> Result<(), Denial> {
        let statement = Statement::<Attestation>::read(payload, attest::PREDICATE_TYPE)
            .map_err(|error| Denial::new(Code::SigInvalid, format!("the statement in manifest.sig: {error}")))?;
        statement.check_subjects(self.package).map_err(|error| mismatch(&format!("manifest.sig: {error}")))?;
        let attestation = &statement.predicate;
        if attestation.names(self.package.manifest()) && attestation.key_id == *key {
            return Ok(());
        }
        let about = format!("{}/{}@{} by {}", attestation.namespace, attestation.name, attestation.version, attestation.key_id);
        let message = format!("manifest.sig attests {about}, not {} by {key}", self.package.manifest().reference());
        Err(Denial::new(Code::ManifestIdMismatch, message))
    }

    /// Gate 4: the newest certification that counts; if none does, the denial of the one that came nearest.
    fn certified(&self, certifications: &[CertificationInput<'_>]) -> Result<CertificationFacts, Denial> {
        let nearness = |denial: &Denial| match denial.code {
            Code::CertificationRevoked => 2,
            Code::CertificationExpired => 1,
            _ => 0,
        };
        let mut nearest: Option<Denial> = None;
        for input in certifications.iter().rev() {
            match self.certification(input) {
                Ok(facts) => return Ok(facts),
                Err(denial) if nearest.as_ref().is_none_or(|known| nearness(&denial) > nearness(known)) => nearest = Some(denial),
                Err(_) => {}
            }
        }
        let skill = self.package.manifest().reference();
        Err(nearest.unwrap_or_else(|| Denial::new(Code::NotCertified, format!("{skill} has no certification"))))
    }

    fn certification(&self, input: &CertificationInput<'_>) -> Result<CertificationFacts, Denial> {
        let deny =
            |code, message: String| Denial::new(code, format!("certification {}: {message}", input.id)).detail("id", input.id);
        let signer = input.signer;
        let record = self
            .keyring
            .certifier(signer)
            .ok_or_else(|| deny(Code::CertificationInvalid, format!("{signer} is no certifier of this hall")))?;
        let key = record.public_key().map_err(|error| deny(Code::CertificationInvalid, error.to_string()))?;
        let statement = certify::verify(input.body.as_bytes(), self.package, signer, &key, self.keys.verdicts())
            .map_err(|denial| deny(denial.code, denial.message))?;
        if statement.id != input.id {
            return Err(deny(Code::CertificationInvalid, "the signed statement has another id".into()));
        }
        if input.revoked {
            return Err(deny(Code::CertificationRevoked, "it was revoked".into()));
        }
        match record.state(self.now) {
            KeyState::Valid => {}
            KeyState::Revoked => {
                return Err(deny(Code::CertificationInvalid, format!("the certifier's key {signer} was revoked")));
            }
            KeyState::NotYetValid | KeyState::Expired => {
                return Err(deny(Code::CertificationExpired, format!("the certifier's key {signer} is not in its time")));
            }
        }
        let (from, to) = (statement.issued_at, statement.expires_at);
        if self.now < from || self.now >= to {
            return Err(deny(Code::CertificationExpired, format!("it counts from {from} until {to}")));
        }
        Ok(CertificationFacts {
            id: statement.id,
            certifier: statement.certifier,
            policy_tier: statement.policy_tier,
            issued_at: from,
            expires_at: to,
        })
    }
}

/// The form that a tally amounts to: proven by a key in its time, or not proven, which denies where the form is required.
fn settle<T>(tally: Tally<T>, required: bool) -> Result<(Form, Option<T>), Denial> {
    if let Some((key, value)) = tally.good {
        return Ok((Form::Verified { key }, Some(value)));
    }
    let unproven = tally.unproven.unwrap_or_else(|| Denial::new(Code::KeyUnknown, "no key of the namespace has signed"));
    if required { Err(unproven) } else { Ok((Form::NotRequiredUnchecked { reason: unproven.message }, None)) }
}

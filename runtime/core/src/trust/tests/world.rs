//! A package, keys and a registry's answer that the gate lets through, for tests to break in one place.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use crate::clock::Timestamp;
use crate::denial::{Denial, Stage};
use crate::digest::Digest;
use crate::id::{KeyId, Namespace};
use crate::json;
use crate::package::{Manifest, Package};
use crate::trust::attest::attest;
use crate::trust::awp;
use crate::trust::certify::{self, Certification, CheckResult};
use crate::trust::facts::{CertificationInput, Expected};
use crate::trust::keys::{
    Algorithm, KeyError, KeyRecord, KeySource, Keyring, NamespaceKeys, Purpose, Require, Secret, SigningKey, Verdicts,
};
use crate::trust::verify::{VerifiedPackage, verify};

pub(super) const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

pub(super) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(super) fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32])
}

pub(super) fn id(text: &str) -> KeyId {
    text.parse().unwrap()
}

pub(super) fn hmac_record(text: &str) -> KeyRecord {
    KeyRecord {
        id: id(text),
        algorithm: Algorithm::HmacSha256,
        purpose: Purpose::Attest,
        public: None,
        valid_from: at("2026-01-01T00:00:00Z"),
        valid_to: None,
        revoked_at: None,
    }
}

pub(super) fn record(text: &str, purpose: Purpose, key: &SigningKey) -> KeyRecord {
    let public = Some(key.public().to_string());
    KeyRecord { algorithm: Algorithm::Ed25519, purpose, public, ..hmac_record(text) }
}

/// A package without attestations; `change` may alter its manifest and is told nothing of digests.
pub(super) fn package(change: impl FnOnce(&mut Manifest)) -> Package {
    let (component, adapter) = (b"\0asm\x0d\0\x01\0".to_vec(), b"{\"name\":\"redact\"}".to_vec());
    let mut manifest: Manifest = serde_json::from_value(json!({
        "schema_version": "skillhall.skill.v1", "namespace": "org.acme", "name": "redact", "version": "1.2.0",
        "summary": "Masks personal data in text", "authors": ["A. Author <a@acme.example>"], "policy_tier": 2,
        "attestation_required": true, "audit_events": [], "provides": [], "capabilities": {}, "limits": {},
        "component": {"sha256": Digest::of(&component), "size": component.len(), "imports": [], "exports": [], "wit": ""},
        "tools": {}, "adapters": {"adapters/mcp.json": Digest::of(&adapter)}, "docs": {}, "assets": {}
    }))
    .unwrap();
    change(&mut manifest);
    let skill = json::canonical(&manifest).unwrap();
    let files = [("skill.json", skill), ("component.wasm", component), ("adapters/mcp.json", adapter)];
    Package::from_files(files.into_iter().map(|(path, bytes)| (path.to_owned(), Arc::from(bytes))).collect()).unwrap()
}

/// Signs with the world's own keys in both forms.
pub(super) fn attested(package: &Package) -> Package {
    let secret = Secret::new(SECRET.to_vec());
    attest(package, Some(&secret), Some((&id("acme-1"), &key(1))), "ci", at("2026-02-01T00:00:00Z")).unwrap()
}

pub(super) struct Held {
    pub(super) id: String,
    pub(super) body: Vec<u8>,
    pub(super) signer: KeyId,
    pub(super) revoked: bool,
}

pub(super) fn statement(text: &str) -> Certification {
    Certification {
        id: text.into(),
        checks: vec![CheckResult { name: "imports".into(), ok: true, message: String::new() }],
        policy_tier: 3,
        issued_at: at("2026-02-02T00:00:00Z"),
        expires_at: at("2027-02-02T00:00:00Z"),
        certifier: id("cert-1"),
    }
}

pub(super) fn held(package: &Package, certification: Certification, key: &SigningKey) -> Held {
    let (name, signer) = (certification.id.clone(), certification.certifier.clone());
    Held { id: name, body: certify::sign(package, certification, key).unwrap(), signer, revoked: false }
}

/// Everything that the gate is given.
pub(super) struct World {
    pub(super) package: Package,
    pub(super) manifest_hash: Digest,
    pub(super) component_hash: Digest,
    pub(super) package_hash: Digest,
    pub(super) adapters: BTreeMap<String, Digest>,
    pub(super) certifications: Vec<Held>,
    pub(super) keyring: Result<Keyring, KeyError>,
    pub(super) secrets: BTreeMap<KeyId, Result<Vec<u8>, KeyError>>,
    pub(super) now: Timestamp,
    pub(super) verdicts: Option<Verdicts>,
    pub(super) local_own: bool,
}

impl KeySource for World {
    fn keyring(&self) -> Result<Keyring, KeyError> {
        self.keyring.clone()
    }

    fn hmac_secret(&self, key: &KeyId, _: &Namespace) -> Result<Option<Secret>, KeyError> {
        self.secrets.get(key).cloned().transpose().map(|bytes| bytes.map(Secret::new))
    }

    fn verdicts(&self) -> Option<&Verdicts> {
        self.verdicts.as_ref()
    }
}

impl World {
    /// Both forms are required, there and good.
    pub(super) fn good() -> Self {
        Self::of(attested(&package(|_| {})))
    }

    /// The registry says of this package what is so; it is certified.
    pub(super) fn of(package: Package) -> Self {
        let org: Namespace = "org.acme".parse().unwrap();
        let keys = vec![record("acme-1", Purpose::Attest, &key(1)), hmac_record("acme-hmac")];
        let stranger = NamespaceKeys { require: None, keys: vec![record("other-1", Purpose::Attest, &key(4))] };
        let keyring = Keyring {
            namespaces: [
                (org.clone(), NamespaceKeys { require: Some(Require::Both), keys }),
                ("org.other".parse().unwrap(), stranger),
            ]
            .into(),
            own: vec![org],
            certifiers: vec![record("cert-1", Purpose::Certify, &key(2)), record("cert-2", Purpose::Certify, &key(5))],
            ledger: None,
            approvers: Vec::new(),
        };
        keyring.validate().unwrap();
        Self {
            manifest_hash: package.manifest_hash(),
            component_hash: package.manifest().component.sha256,
            package_hash: awp::hash_of_package(&package),
            adapters: package.manifest().adapters.clone(),
            certifications: vec![held(&package, statement("c-1"), &key(2))],
            package,
            keyring: Ok(keyring),
            secrets: [(id("acme-hmac"), Ok(SECRET.to_vec()))].into(),
            now: at("2026-06-01T00:00:00Z"),
            verdicts: None,
            local_own: false,
        }
    }

    pub(super) fn ring(&mut self) -> &mut Keyring {
        self.keyring.as_mut().unwrap()
    }

    pub(super) fn own_keys(&mut self) -> &mut NamespaceKeys {
        self.ring().namespaces.get_mut(&"org.acme".parse().unwrap()).unwrap()
    }

    pub(super) fn ed25519_key(&mut self) -> &mut KeyRecord {
        &mut self.own_keys().keys[0]
    }

    pub(super) fn hmac_key(&mut self) -> &mut KeyRecord {
        &mut self.own_keys().keys[1]
    }

    pub(super) fn require(mut self, require: Require) -> Self {
        self.own_keys().require = Some(require);
        self
    }

    /// Other attestations; `None` takes one away.
    pub(super) fn attestations(&mut self, awp: Option<Vec<u8>>, dsse: Option<Vec<u8>>) {
        self.package = self.package.with_attestations(awp, dsse).unwrap();
    }

    pub(super) fn awp(&self) -> Vec<u8> {
        self.package.awp_manifest().unwrap().to_vec()
    }

    pub(super) fn dsse(&self) -> Vec<u8> {
        self.package.dsse_envelope().unwrap().to_vec()
    }

    pub(super) fn judge(&self) -> Result<VerifiedPackage, Denial> {
        self.observe(&mut |_| {})
    }

    pub(super) fn observe(&self, observer: &mut dyn FnMut(Stage)) -> Result<VerifiedPackage, Denial> {
        let certifications: Vec<CertificationInput<'_>> = self
            .certifications
            .iter()
            .map(|held| CertificationInput {
                id: &held.id,
                body: std::str::from_utf8(&held.body).unwrap(),
                signer: &held.signer,
                revoked: held.revoked,
            })
            .collect();
        let expected = Expected {
            manifest_hash: self.manifest_hash,
            component_hash: self.component_hash,
            package_hash: self.package_hash,
            adapters: &self.adapters,
            certifications: &certifications,
        };
        verify(Arc::new(self.package.clone()), &expected, self, self.now, self.local_own, observer)
    }
}

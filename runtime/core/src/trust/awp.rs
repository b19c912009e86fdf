//! Attestation in WCP's awp.v1 form: an HMAC-SHA256 over a manifest that names the package's hash.
//!
//! Bytes, order of checks and codes are those of WCP's Python reference (pyhall 0.3.0, `pyhall/attestation.py`). Where
//! the reference raises, or reads what two readers could understand differently, this denies.

mod folder;
mod text;

pub use folder::{Folder, read_folder};

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::{Digest, hex, unhex};
use crate::json::{self, JsonError};
use crate::package::Package;
use crate::package::files::SKILL_JSON;

use super::keys::Secret;

/// The one version of the form.
pub const SCHEMA_VERSION: &str = "awp.v1";

/// Names that the package hash leaves out wherever they stand in a path.
const EXCLUDED: [&str; 6] = [".git", "__pycache__", ".DS_Store", "manifest.json", "manifest.sig", "manifest.tmp"];

/// A file as the package hash sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRecord {
    /// Its path below the package's root, with `/`.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// The package hash of files in memory.
#[must_use]
pub fn package_hash<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Digest {
    hash_records(files.into_iter().map(|(path, bytes)| FileRecord {
        path: path.to_owned(),
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        digest: Digest::of(bytes),
    }))
}

/// The package hash of files that are hashed already: SHA-256 over `path\nsize\nsha256\n` for each, ordered by path
/// component by code point, without the excluded ones.
#[must_use]
pub fn hash_records(records: impl IntoIterator<Item = FileRecord>) -> Digest {
    Digest::of(preimage(records).as_bytes())
}

fn preimage(records: impl IntoIterator<Item = FileRecord>) -> String {
    let mut records: Vec<FileRecord> = records.into_iter().filter(|record| !is_excluded(&record.path)).collect();
    // UTF-8 keeps the order of code points.
    records.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
    records.iter().map(|record| format!("{}\n{}\n{}\n", record.path, record.size, record.digest)).collect()
}

/// Whether the package hash leaves this path out.
#[must_use]
pub fn is_excluded(path: &str) -> bool {
    path.ends_with(".pyc") || path.split('/').any(|part| EXCLUDED.contains(&part))
}

/// The package hash of a skill, from the digests that its bytes were held against when it was read; nothing is hashed
/// again.
#[must_use]
pub fn hash_of_package(package: &Package) -> Digest {
    let manifest = package.manifest();
    hash_records(package.files().map(|(path, bytes)| {
        let known = if path == SKILL_JSON { Some(package.manifest_hash()) } else { stated_digest(manifest, path) };
        FileRecord {
            path: path.to_owned(),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            digest: known.unwrap_or_else(|| Digest::of(bytes)),
        }
    }))
}

fn stated_digest(manifest: &crate::package::Manifest, path: &str) -> Option<Digest> {
    if path == crate::package::files::COMPONENT {
        return Some(manifest.component.sha256);
    }
    [&manifest.adapters, &manifest.docs, &manifest.assets].iter().find_map(|digests| digests.get(path)).copied()
}

/// The content of an awp.v1 `manifest.json`. A field that is absent or null is `None`; fields of other names are read
/// over, as the reference does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct AwpManifest {
    /// Always [`SCHEMA_VERSION`] in what this crate writes. Signed.
    pub schema_version: Option<String>,
    /// `<namespace>.<name>` for a skill. Signed.
    pub worker_id: Option<String>,
    /// `wrk.<namespace>.<name>` for a skill. Signed.
    pub worker_species_id: Option<String>,
    /// The version. Signed.
    pub worker_version: Option<String>,
    /// The package hash. Signed.
    pub package_hash: Option<String>,
    /// When it was built. Signed.
    pub built_at_utc: Option<String>,
    /// Where it was built. Signed.
    pub build_source: Option<String>,
    /// When it was attested. Not signed.
    pub attested_at_utc: Option<String>,
    /// For people. Not signed.
    pub trust_statement: Option<String>,
    /// The signature in lower-case hexadecimal.
    pub signature_hmac_sha256: Option<String>,
}

impl AwpManifest {
    /// Reads manifest.json strictly.
    ///
    /// # Errors
    /// If the bytes are no JSON object that everybody reads alike, or a field is neither text nor null.
    pub fn parse(bytes: &[u8]) -> Result<Self, JsonError> {
        let value = json::parse(bytes)?;
        if !value.is_object() {
            return Err(JsonError { message: "no object".into(), line: 0, column: 0 });
        }
        serde_json::from_value(value).map_err(JsonError::from)
    }

    /// The bytes that are signed: the seven signed fields as compact JSON with sorted keys, all outside ASCII escaped.
    #[must_use]
    pub fn signing_payload(&self) -> Vec<u8> {
        let fields = [
            ("build_source", &self.build_source),
            ("built_at_utc", &self.built_at_utc),
            ("package_hash", &self.package_hash),
            ("schema_version", &self.schema_version),
            ("worker_id", &self.worker_id),
            ("worker_species_id", &self.worker_species_id),
            ("worker_version", &self.worker_version),
        ];
        text::compact(&fields).into_bytes()
    }

    /// manifest.json byte for byte as the reference writes it.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = [
            ("attested_at_utc", &self.attested_at_utc),
            ("build_source", &self.build_source),
            ("built_at_utc", &self.built_at_utc),
            ("package_hash", &self.package_hash),
            ("schema_version", &self.schema_version),
            ("signature_hmac_sha256", &self.signature_hmac_sha256),
            ("trust_statement", &self.trust_statement),
            ("worker_id", &self.worker_id),
            ("worker_species_id", &self.worker_species_id),
            ("worker_version", &self.worker_version),
        ];
        text::pretty(&fields).into_bytes()
    }

    /// The signature's text; `None` if it is absent or empty.
    #[must_use]
    pub fn signature(&self) -> Option<&str> {
        self.signature_hmac_sha256.as_deref().filter(|text| !text.is_empty())
    }

    /// The signature's 32 bytes; `None` if the text is no lower-case hexadecimal of that length.
    #[must_use]
    pub fn tag(&self) -> Option<Vec<u8>> {
        self.signature().and_then(unhex).filter(|tag| tag.len() == 32)
    }
}

/// Which worker an attestation is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// `<namespace>.<name>` for a skill.
    pub id: String,
    /// `wrk.<namespace>.<name>` for a skill.
    pub species: String,
}

impl Worker {
    /// The worker that a skill is.
    #[must_use]
    pub fn of(skill: &crate::id::SkillId) -> Self {
        Self { id: skill.worker_id(), species: skill.worker_species_id() }
    }

    /// The namespace that signs for it: the first two parts of an id that begins with `x.` or `org.`.
    #[must_use]
    pub fn namespace(&self) -> Option<String> {
        let mut parts = self.id.split('.');
        let (root, name) = (parts.next()?, parts.next()?);
        (matches!(root, "x" | "org") && !name.is_empty()).then(|| format!("{root}.{name}"))
    }
}

/// When and where a package was built and attested.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a> {
    /// Where it was built: `local`, `ci`, `agent`, or any other text.
    pub build_source: &'a str,
    /// When it was built; written in whole seconds.
    pub built_at: Timestamp,
    /// When it is attested; written in whole seconds.
    pub attested_at: Timestamp,
}

/// The attestation of a package hash: the bytes of manifest.json.
///
/// # Errors
/// `ATTEST_NAMESPACE_INVALID` if the worker's id belongs to no namespace, `ATTEST_SIGNATURE_MISSING` if the secret is empty.
pub fn attest(
    package_hash: &Digest,
    worker: &Worker,
    version: &str,
    provenance: Provenance<'_>,
    secret: &Secret,
) -> Result<Vec<u8>, Denial> {
    let namespace = worker.namespace().ok_or_else(|| namespace_invalid(&worker.id))?;
    if secret.is_empty() {
        return Err(Denial::new(Code::SignatureMissing, "the secret to sign with is empty"));
    }
    let attested_at = provenance.attested_at.whole_seconds().to_string();
    let mut manifest = AwpManifest {
        schema_version: Some(SCHEMA_VERSION.into()),
        worker_id: Some(worker.id.clone()),
        worker_species_id: Some(worker.species.clone()),
        worker_version: Some(version.into()),
        package_hash: Some(package_hash.to_string()),
        built_at_utc: Some(provenance.built_at.whole_seconds().to_string()),
        build_source: Some(provenance.build_source.into()),
        trust_statement: Some(format!(
            "Package attested by namespace {namespace} at {attested_at}; package hash sha256:{package_hash}."
        )),
        attested_at_utc: Some(attested_at),
        signature_hmac_sha256: None,
    };
    manifest.signature_hmac_sha256 = Some(hex(&secret.authenticate(&manifest.signing_payload())));
    Ok(manifest.to_bytes())
}

/// What [`verify`] found good, in the reference's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AwpMeta {
    /// The hash that was computed and attested.
    pub package_hash: Digest,
    /// The form.
    pub manifest_schema: String,
    /// What the manifest says, or `unknown`; not signed.
    pub attested_at_utc: String,
    /// When this check was made.
    pub verified_at_utc: String,
    /// The claim that was proven, made anew from the worker's id.
    pub trust_statement: String,
}

/// Checks an attestation in WCP's order, for `hall worker verify`: the manifest reads, names this worker, names this
/// package hash, the hash is not banned, it is signed and a secret is there, the signature fits, the worker has a
/// namespace. The gate of an execution has its own order ([`verify`](super::verify::verify)).
///
/// # Errors
/// The denial of the first check that fails.
pub fn verify(
    package_hash: &Digest,
    manifest: Option<&[u8]>,
    worker: &Worker,
    secret: Option<&Secret>,
    banned: &dyn Fn(&Digest) -> bool,
    now: Timestamp,
) -> Result<AwpMeta, Denial> {
    let manifest = readable(manifest)?;
    check_worker(&manifest, worker)?;
    check_package_hash(&manifest, package_hash)?;
    if banned(package_hash) {
        let denial = Denial::new(Code::BannedHash, format!("the package hash {package_hash} is banned"));
        return Err(denial.detail("computed_hash", package_hash.to_string()));
    }
    let secret = secret.filter(|secret| !secret.is_empty());
    let (Some(_), Some(secret)) = (manifest.signature(), secret) else {
        return Err(Denial::new(Code::SignatureMissing, "the signature or the secret to check it with is not there")
            .detail("signature_present", manifest.signature().is_some())
            .detail("secret_present", secret.is_some()));
    };
    if !manifest.tag().is_some_and(|tag| secret.verify(&manifest.signing_payload(), &tag)) {
        return Err(Denial::new(Code::SigInvalid, "the HMAC signature in manifest.json does not fit"));
    }
    let namespace = worker.namespace().ok_or_else(|| namespace_invalid(&worker.id))?;
    let attested_at = manifest.attested_at_utc.unwrap_or_else(|| "unknown".into());
    Ok(AwpMeta {
        package_hash: *package_hash,
        manifest_schema: SCHEMA_VERSION.to_owned(),
        trust_statement: format!(
            "Package attested by namespace {namespace} at {attested_at}; package hash sha256:{package_hash}."
        ),
        attested_at_utc: attested_at,
        verified_at_utc: now.whole_seconds().to_string(),
    })
}

/// manifest.json as awp.v1, or `ATTEST_MANIFEST_MISSING`.
pub(super) fn readable(bytes: Option<&[u8]>) -> Result<AwpManifest, Denial> {
    let missing = |message: String| Denial::new(Code::ManifestMissing, message);
    let bytes = bytes.ok_or_else(|| missing("manifest.json is missing".into()))?;
    let manifest = AwpManifest::parse(bytes)
        .map_err(|error| missing(format!("manifest.json cannot be read: {error}")).detail("error", error.to_string()))?;
    if manifest.schema_version.as_deref() != Some(SCHEMA_VERSION) {
        return Err(missing(format!("manifest.json is not in the form {SCHEMA_VERSION}")));
    }
    Ok(manifest)
}

pub(super) fn check_worker(manifest: &AwpManifest, worker: &Worker) -> Result<(), Denial> {
    if manifest.worker_id.as_deref() == Some(&worker.id) && manifest.worker_species_id.as_deref() == Some(&worker.species) {
        return Ok(());
    }
    Err(Denial::new(Code::ManifestIdMismatch, format!("manifest.json is not about {}", worker.id))
        .detail("manifest_worker_id", manifest.worker_id.clone())
        .detail("expected_worker_id", worker.id.as_str())
        .detail("manifest_worker_species_id", manifest.worker_species_id.clone())
        .detail("expected_worker_species_id", worker.species.as_str()))
}

pub(super) fn check_package_hash(manifest: &AwpManifest, computed: &Digest) -> Result<(), Denial> {
    let computed = computed.to_string();
    if manifest.package_hash.as_deref() == Some(&computed) {
        return Ok(());
    }
    Err(Denial::new(Code::HashMismatch, format!("the package hash is {computed}, but manifest.json attests another"))
        .detail("expected_hash", manifest.package_hash.clone())
        .detail("computed_hash", computed))
}

fn namespace_invalid(worker_id: &str) -> Denial {
    let shown: String = worker_id.chars().take(200).collect();
    Denial::new(Code::NamespaceInvalid, format!("the worker id '{}' begins with no namespace", shown.escape_default()))
}

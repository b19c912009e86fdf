//! in-toto statements (Statement v1): which bytes a signed payload is about.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::json::{self, CanonicalError, JsonError};
use crate::package::Package;
use crate::package::files::{COMPONENT, SKILL_JSON};

use super::dsse::Verified;

/// The type of the statement itself.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";

/// A statement about some bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement<P> {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    /// What is said about the subjects.
    pub predicate: P,
}

/// One file that a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// Its path in the package.
    pub name: String,
    /// Its digest.
    pub digest: SubjectDigest,
}

/// The digest of a subject, by algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectDigest {
    /// SHA-256.
    pub sha256: Digest,
}

/// A statement's subjects are not the package's files.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubjectError {
    /// The statement does not name a file that it must name.
    #[error("the statement does not name {0}")]
    Missing(String),
    /// The statement names a file that is no subject of this package, or one twice.
    #[error("the statement names {0}, which is no subject of this package")]
    Foreign(String),
    /// The statement names another digest.
    #[error("{name} has SHA-256 {found}, but the statement says {stated}")]
    Digest {
        /// The file.
        name: String,
        /// What the statement says.
        stated: Digest,
        /// What the package has.
        found: Digest,
    },
}

impl<P: Serialize + DeserializeOwned> Statement<P> {
    /// A statement about a package: skill.json, component.wasm and every adapter.
    #[must_use]
    pub fn about(package: &Package, predicate_type: &str, predicate: P) -> Self {
        let digest = |sha256| SubjectDigest { sha256 };
        let subject =
            subjects(package).into_iter().map(|(name, sha256)| Subject { name: name.to_owned(), digest: digest(sha256) });
        Self { kind: STATEMENT_TYPE.to_owned(), subject: subject.collect(), predicate_type: predicate_type.to_owned(), predicate }
    }

    /// A statement about what a manifest names, made by whoever holds its digest and not the package.
    #[must_use]
    pub fn about_manifest(manifest: Digest, predicate_type: &str, predicate: P) -> Self {
        let subject = vec![Subject { name: SKILL_JSON.to_owned(), digest: SubjectDigest { sha256: manifest } }];
        Self { kind: STATEMENT_TYPE.to_owned(), subject, predicate_type: predicate_type.to_owned(), predicate }
    }

    /// Whether it is about this manifest and nothing else.
    #[must_use]
    pub fn is_about_manifest(&self, manifest: Digest) -> bool {
        matches!(self.subject.as_slice(), [one] if one.name == SKILL_JSON && one.digest.sha256 == manifest)
    }

    /// The bytes to sign.
    ///
    /// # Errors
    /// If the predicate has no canonical form.
    pub fn to_bytes(&self) -> Result<Vec<u8>, CanonicalError> {
        json::canonical(self)
    }

    /// Reads a verified payload strictly, as a statement with this predicate type.
    ///
    /// # Errors
    /// If it is no such statement.
    pub fn read(payload: Verified<'_>, predicate_type: &str) -> Result<Self, JsonError> {
        let statement: Self = json::parse_as(payload.bytes())?;
        let wrong = |message: String| Err(JsonError { message, line: 0, column: 0 });
        if statement.kind != STATEMENT_TYPE {
            return wrong(format!("the payload is not of the type {STATEMENT_TYPE}"));
        }
        if statement.predicate_type != predicate_type {
            return wrong(format!("the predicate is not of the type {predicate_type}"));
        }
        Ok(statement)
    }

    /// Compares every subject with the package: the same files, each once, with the same digests.
    ///
    /// # Errors
    /// [`SubjectError`] for the first difference.
    pub fn check_subjects(&self, package: &Package) -> Result<(), SubjectError> {
        let mut expected = subjects(package);
        for Subject { name, digest } in &self.subject {
            let found = expected.remove(name.as_str()).ok_or_else(|| SubjectError::Foreign(shown(name)))?;
            if found != digest.sha256 {
                return Err(SubjectError::Digest { name: name.clone(), stated: digest.sha256, found });
            }
        }
        expected.keys().next().map_or(Ok(()), |name| Err(SubjectError::Missing((*name).to_owned())))
    }
}

fn subjects(package: &Package) -> BTreeMap<&str, Digest> {
    let manifest = package.manifest();
    let mut subjects = BTreeMap::from([(SKILL_JSON, package.manifest_hash()), (COMPONENT, manifest.component.sha256)]);
    subjects.extend(manifest.adapters.iter().map(|(path, digest)| (path.as_str(), *digest)));
    subjects
}

fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_default).collect()
}

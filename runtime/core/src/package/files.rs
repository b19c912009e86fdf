//! A package held in memory: the closed set of files, read once, hashed once.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::id::ToolName;
use crate::json;

use super::manifest::{Manifest, SCHEMA_VERSION};
use super::schema::{SchemaError, Validator};

/// The canonical manifest.
pub const SKILL_JSON: &str = "skill.json";
/// The component, byte for byte.
pub const COMPONENT: &str = "component.wasm";
/// The awp.v1 attestation.
pub const AWP_MANIFEST: &str = "manifest.json";
/// The DSSE attestation.
pub const DSSE_ENVELOPE: &str = "manifest.sig";

/// Bytes that are no package. Each maps to one deny code of gate 2.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// skill.json is not there, or is no canonical manifest.
    #[error("{0}")]
    Manifest(String),
    /// A file, name, link or size that no package may hold.
    #[error("{0}")]
    Layout(String),
    /// A file's digest is not the one that skill.json states.
    #[error("{file} has SHA-256 {found}, but skill.json says {stated}")]
    Hash {
        /// The file's path in the package.
        file: String,
        /// What skill.json states.
        stated: Digest,
        /// What the file has.
        found: Digest,
    },
    /// The package could not be read at all.
    #[error("the package cannot be read: {0}")]
    Unreadable(String),
}

impl PackageError {
    /// The denial of gate 2 for this error.
    #[must_use]
    pub fn denial(&self) -> Denial {
        match self {
            Self::Manifest(_) => Denial::new(Code::ManifestMissing, self.to_string()),
            Self::Layout(_) | Self::Unreadable(_) => Denial::new(Code::PackageLayout, self.to_string()),
            Self::Hash { file, stated, found } => Denial::new(Code::HashMismatch, self.to_string())
                .detail("file", file.as_str())
                .detail("expected_hash", stated.to_string())
                .detail("computed_hash", found.to_string()),
        }
    }
}

/// A whole package in memory.
///
/// Whoever holds one knows: its set of files is closed, skill.json is a valid manifest in canonical form, and every
/// other file but the two attestations has the digest that skill.json states. Nothing in here is read again by path;
/// what is verified, compiled and run is this buffer.
#[derive(Clone)]
pub struct Package {
    files: BTreeMap<String, Arc<[u8]>>,
    manifest: Arc<Manifest>,
    manifest_hash: Digest,
    schemas: Arc<OnceLock<Result<BTreeMap<ToolName, ToolSchemas>, SchemaError>>>,
}

/// The compiled schemas of a tool.
pub struct ToolSchemas {
    /// What its input must fit.
    pub input: Validator,
    /// What its result must fit.
    pub output: Validator,
}

impl Package {
    /// Checks a set of files, by path, and holds it.
    ///
    /// # Errors
    /// As [`PackageError`] says; the first fault found is told.
    pub fn from_files(files: BTreeMap<String, Arc<[u8]>>) -> Result<Self, PackageError> {
        super::layout::check(&files)?;
        let bytes = files.get(SKILL_JSON).ok_or_else(|| PackageError::Manifest("skill.json is missing".into()))?;
        let manifest: Manifest = json::parse_as(bytes).map_err(|error| PackageError::Manifest(format!("skill.json: {error}")))?;
        if manifest.schema_version != SCHEMA_VERSION {
            return Err(PackageError::Manifest(format!(
                "skill.json has schema_version '{}'; this host reads '{SCHEMA_VERSION}'",
                manifest.schema_version.escape_default()
            )));
        }
        let canonical = json::canonical(&manifest).map_err(|error| PackageError::Manifest(format!("skill.json: {error}")))?;
        if canonical[..] != bytes[..] {
            return Err(PackageError::Manifest("skill.json is not in canonical form (RFC 8785)".into()));
        }
        let package = Self { manifest_hash: Digest::of(bytes), manifest: Arc::new(manifest), files, schemas: Arc::default() };
        package.check_digests()?;
        Ok(package)
    }

    fn check_digests(&self) -> Result<(), PackageError> {
        let manifest = &self.manifest;
        let mut stated: BTreeMap<&str, Digest> = BTreeMap::from([(COMPONENT, manifest.component.sha256)]);
        for (folder, digests) in [("adapters/", &manifest.adapters), ("docs/", &manifest.docs), ("assets/", &manifest.assets)] {
            for (path, digest) in digests {
                if !path.starts_with(folder) {
                    return Err(PackageError::Manifest(format!("skill.json lists '{}' under {folder}", path.escape_default())));
                }
                stated.insert(path, *digest);
            }
        }
        for (path, stated) in &stated {
            let bytes = self.files.get(*path).ok_or_else(|| PackageError::Layout(format!("{path} is missing")))?;
            let found = Digest::of(bytes);
            if found != *stated {
                return Err(PackageError::Hash { file: (*path).to_owned(), stated: *stated, found });
            }
        }
        for path in self.files.keys() {
            if !stated.contains_key(path.as_str()) && ![SKILL_JSON, AWP_MANIFEST, DSSE_ENVELOPE].contains(&path.as_str()) {
                return Err(PackageError::Layout(format!("{path} is not listed in skill.json")));
            }
        }
        if u64::try_from(self.component().len()).ok() != Some(manifest.component.size) {
            return Err(PackageError::Manifest("skill.json states another size for component.wasm".into()));
        }
        Ok(())
    }

    /// The manifest, as it was read from the verified bytes.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// SHA-256 of skill.json: the identity of this version.
    #[must_use]
    pub fn manifest_hash(&self) -> Digest {
        self.manifest_hash
    }

    /// The compiled schemas of a tool. They are compiled once, from the bytes that were verified.
    ///
    /// # Errors
    /// If a schema of the package does not compile, or there is no such tool.
    pub fn schemas(&self, tool: &ToolName) -> Result<&ToolSchemas, SchemaError> {
        let compiled = self.schemas.get_or_init(|| {
            let compile = |tool: &super::manifest::Tool| -> Result<ToolSchemas, SchemaError> {
                Ok(ToolSchemas { input: Validator::compile(&tool.input)?, output: Validator::compile(&tool.output)? })
            };
            self.manifest.tools.iter().map(|(name, tool)| Ok((name.clone(), compile(tool)?))).collect()
        });
        let missing = || SchemaError::Refused { pointer: String::new(), message: format!("there is no tool {tool}") };
        compiled.as_ref().map_err(Clone::clone)?.get(tool).ok_or_else(missing)
    }

    /// The bytes of component.wasm.
    #[must_use]
    pub fn component(&self) -> Arc<[u8]> {
        self.files.get(COMPONENT).cloned().unwrap_or_default()
    }

    /// One file's bytes, by its path in the package.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&Arc<[u8]>> {
        self.files.get(path)
    }

    /// Every file with its path, sorted by path.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Arc<[u8]>)> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes))
    }

    /// The awp.v1 attestation, if there is one.
    #[must_use]
    pub fn awp_manifest(&self) -> Option<&[u8]> {
        self.files.get(AWP_MANIFEST).map(|bytes| &bytes[..])
    }

    /// The DSSE envelope, if there is one.
    #[must_use]
    pub fn dsse_envelope(&self) -> Option<&[u8]> {
        self.files.get(DSSE_ENVELOPE).map(|bytes| &bytes[..])
    }

    /// The same package with other attestations; `None` takes one away.
    ///
    /// # Errors
    /// If an attestation is larger than a package may hold.
    pub fn with_attestations(&self, awp: Option<Vec<u8>>, dsse: Option<Vec<u8>>) -> Result<Self, PackageError> {
        let mut files = self.files.clone();
        for (path, bytes) in [(AWP_MANIFEST, awp), (DSSE_ENVELOPE, dsse)] {
            match bytes {
                Some(bytes) => files.insert(path.to_owned(), bytes.into()),
                None => files.remove(path),
            };
        }
        super::layout::check(&files)?;
        Ok(Self { files, manifest: self.manifest.clone(), manifest_hash: self.manifest_hash, schemas: self.schemas.clone() })
    }
}

impl std::fmt::Debug for Package {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Package")
            .field("skill", &self.manifest.reference().to_string())
            .field("manifest_hash", &self.manifest_hash)
            .finish_non_exhaustive()
    }
}

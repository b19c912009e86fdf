//! A hall's folder on disk.
//!
//! ```text
//! hall.toml        what this host is and what it allows
//! hall.schema.json the JSON Schema of hall.toml, for editors; nothing here reads it
//! rules.json       WCP's rules
//! policies/        policies of the gate, where hall.toml says that they are here
//! keys/            the keyring (public keys by namespace) and the secrets, readable by the owner only
//! registry.db      the registry
//! keyvalue.db      what skills keep from one call to the next; made when it is first needed
//! quotas/          what organisations have had, where hall.toml has quotas
//! ledger/          the ledger's segments
//! packages/        installed packages, one folder each, named by manifest hash
//! published/       published packages as .skill files, named by manifest hash
//! policy/          hall.toml and rules as they were enrolled, named by their digest
//! cache/           compiled code, under a MAC
//! assets/          packages' own assets, written for the calls that go on; made when it is first needed
//! ```

use std::path::{Path, PathBuf};

use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _};
use skillhall_core::digest::Digest;
use skillhall_core::store;

use super::Fault;
use crate::gates::PolicyFile;
use crate::sandbox::Reserved;
use crate::sandbox::assets::ASSETS;

/// The configuration.
pub const CONFIG: &str = "hall.toml";
/// The JSON Schema of the configuration.
pub const SCHEMA: &str = "hall.schema.json";
/// The folder of secrets.
pub const KEYS: &str = "keys";
/// The registry's file.
pub const REGISTRY: &str = "registry.db";
/// The file of what skills keep.
pub const STORES: &str = "keyvalue.db";
/// The folder of what organisations have had.
pub const QUOTAS: &str = "quotas";
/// The ledger's folder.
pub const LEDGER: &str = "ledger";
/// The folder of installed packages.
pub const PACKAGES: &str = "packages";
/// The folder of published packages.
pub const SHELF: &str = "published";
/// The folder of enrolled configurations.
pub const POLICY: &str = "policy";
/// The folder of compiled code.
pub const CACHE: &str = "cache";

/// The secret under which compiled code is cached.
pub const CACHE_KEY: &str = "cache.key";

/// The largest hall.toml, rules or keyring that is read.
const MAX_CONFIG: u64 = 4 << 20;
/// The most files of policies.
const MAX_POLICIES: usize = 256;

/// An open hall folder.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    dir: Dir,
}

impl Folder {
    /// Opens a hall's folder and checks that no other account can change it.
    ///
    /// # Errors
    /// [`Fault::Missing`] if there is no hall, [`Fault::Unsafe`] if others can write it.
    pub fn open(path: &Path) -> Result<Self, Fault> {
        let missing = || Fault::Missing { path: path.to_owned() };
        let path = path.canonicalize().map_err(|_| missing())?;
        let dir = Dir::open_ambient_dir(&path, ambient_authority()).map_err(|_| missing())?;
        let folder = Self { path, dir };
        if !folder.dir.exists(CONFIG) {
            let is_hall = [KEYS, REGISTRY, LEDGER].iter().any(|part| folder.dir.exists(part));
            return Err(if is_hall { folder.without(CONFIG) } else { missing() });
        }
        // The registry and the ledger are each call's to miss, and that is a denial.
        if let Some(part) = [KEYS, PACKAGES, CACHE].iter().find(|part| !folder.dir.is_dir(part)) {
            return Err(folder.without(part));
        }
        for part in [".", KEYS, LEDGER, PACKAGES, SHELF, POLICY, CACHE, ASSETS, REGISTRY, STORES, QUOTAS, CONFIG] {
            folder.check_mode(part)?;
        }
        Ok(folder)
    }

    fn without(&self, part: &str) -> Fault {
        Fault::Incomplete { path: self.path.clone(), part: part.to_owned() }
    }

    fn failed(&self, part: &str, error: &std::io::Error) -> Fault {
        if error.kind() == std::io::ErrorKind::NotFound { self.without(part) } else { Fault::io(part, error) }
    }

    /// Refuses what another account could change. A part that is not there is told by whoever needs it.
    fn check_mode(&self, part: &str) -> Result<(), Fault> {
        let Ok(metadata) = self.dir.symlink_metadata(part) else { return Ok(()) };
        let forbidden = if part == KEYS { 0o077 } else { 0o022 };
        if metadata.is_symlink() {
            return Err(Fault::Unsafe { what: format!("{part} is a link"), hint: "replace it by the real thing".into() });
        }
        if metadata.mode() & forbidden != 0 {
            let what = format!(
                "{part} has mode {:o}: another account could {} it",
                metadata.mode() & 0o7777,
                if part == KEYS { "read" } else { "change" }
            );
            let hint = format!("chmod {} {}", if part == KEYS { "700" } else { "go-w" }, self.path.join(part).display());
            return Err(Fault::Unsafe { what, hint });
        }
        Ok(())
    }

    /// The user id that owns the folder.
    ///
    /// # Errors
    /// If the operating system does not say.
    pub fn owner(&self) -> Result<u32, Fault> {
        Ok(self.dir.dir_metadata().map_err(|error| Fault::io("the hall's folder", &error))?.uid())
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder itself.
    #[must_use]
    pub fn dir(&self) -> &Dir {
        &self.dir
    }

    /// A handle of its own to a part of the folder.
    ///
    /// # Errors
    /// If it is not there.
    pub fn part(&self, name: &str) -> Result<Dir, Fault> {
        self.dir.open_dir_nofollow(name).map_err(|error| self.failed(name, &error))
    }

    /// What no skill is ever given: this folder, and each of its parts even where it is mounted elsewhere. A part that is not
    /// there is told by whoever needs it.
    ///
    /// # Errors
    /// If a part is there and cannot be opened.
    pub(super) fn reserved(&self) -> Result<Reserved, Fault> {
        let mut folders = vec![self.part(".")?];
        for part in [KEYS, LEDGER, PACKAGES, CACHE, ASSETS, SHELF, POLICY, QUOTAS] {
            match self.dir.open_dir_nofollow(part) {
                Ok(folder) => folders.push(folder),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Fault::io(part, &error)),
            }
        }
        Reserved::folders(&folders).map_err(|error| Fault::io("the hall's folder", &error))
    }

    /// Reads one configuration file.
    ///
    /// # Errors
    /// If it is not there, too large, or no UTF-8.
    pub fn text(&self, name: &str) -> Result<String, Fault> {
        let bytes = store::read(&self.dir, name, MAX_CONFIG).map_err(|error| self.failed(name, &error))?;
        String::from_utf8(bytes).map_err(|_| Fault::Configuration(format!("{name} is no UTF-8")))
    }

    /// Reads the policy files that hall.toml names: paths below this folder, in which a `*` in the last part stands for any text.
    /// Sorted by name, each once.
    ///
    /// # Errors
    /// If one is not there or nothing fits a pattern, others could change one, or they are too large or too many.
    pub(super) fn policies(&self, patterns: &[String]) -> Result<Vec<PolicyFile>, Fault> {
        let mut names = std::collections::BTreeSet::new();
        for pattern in patterns {
            let found = self.fitting(pattern)?;
            if found.is_empty() {
                return Err(Fault::Configuration(format!("policy.cedar: nothing in the hall's folder fits {pattern}")));
            }
            names.extend(found);
        }
        if names.len() > MAX_POLICIES {
            return Err(Fault::Configuration(format!("policy.cedar: more than {MAX_POLICIES} files")));
        }
        let read = |name: String| {
            // Each folder on the way, and the file.
            let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
            ends.into_iter().try_for_each(|end| self.check_mode(name.get(..end).unwrap_or(&name)))?;
            Ok(PolicyFile { text: self.text(&name)?, name })
        };
        names.into_iter().map(read).collect()
    }

    fn fitting(&self, pattern: &str) -> Result<Vec<String>, Fault> {
        let (folder, last) = pattern.rsplit_once('/').map_or(("", pattern), |(folder, last)| (folder, last));
        let Some((begin, end)) = last.split_once('*') else { return Ok(vec![pattern.to_owned()]) };
        let io = |error: std::io::Error| self.failed(folder, &error);
        let entries = if folder.is_empty() { self.dir.entries() } else { self.dir.read_dir(folder) }.map_err(io)?;
        let mut found = Vec::new();
        for entry in entries {
            let name = entry.map_err(io)?.file_name();
            let shown = name.to_string_lossy();
            let rest = shown.strip_prefix(begin).and_then(|rest| rest.strip_suffix(end));
            if rest.is_some() && !shown.starts_with('.') {
                // To pass over one that forbids would be worse than to stop.
                let Some(name) = name.to_str().filter(|name| !name.chars().any(char::is_control)) else {
                    return Err(Fault::Configuration(format!("policy.cedar: a file's name is {name:?}, which is no plain text")));
                };
                found.push(if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") });
            }
        }
        Ok(found)
    }

    /// Reads one secret of the hall.
    ///
    /// # Errors
    /// If it is not there, or readable by others.
    pub fn secret(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let keys = self.part(KEYS)?;
        let metadata = keys.symlink_metadata(name).map_err(|error| self.failed(&format!("{KEYS}/{name}"), &error))?;
        if metadata.mode() & 0o077 != 0 {
            let what = format!("keys/{name} has mode {:o}: others could read it", metadata.mode() & 0o7777);
            return Err(Fault::Unsafe { what, hint: format!("chmod 600 {}", self.path.join(KEYS).join(name).display()) });
        }
        store::read(&keys, name, 64 << 10).map_err(|error| Fault::io(&format!("keys/{name}"), &error))
    }
}

/// The digest of a configuration: what gate 7 compares. Of the very texts that are in force.
#[must_use]
pub fn configuration_digest(config: &str, rules: &str, policies: &[PolicyFile]) -> Digest {
    let parts = [("hall.toml", Digest::of(config.as_bytes())), ("rules", Digest::of(rules.as_bytes()))];
    let policies = policies.iter().map(|policy| (policy.name.as_str(), Digest::of(policy.text.as_bytes())));
    let mut text = String::new();
    for (name, digest) in parts.into_iter().chain(policies) {
        text.push_str(name);
        text.push(' ');
        text.push_str(&digest.to_string());
        text.push('\n');
    }
    Digest::of(text.as_bytes())
}

//! A hall's folder on disk.
//!
//! ```text
//! hall.toml        what this host is and what it allows
//! hall.schema.json the JSON Schema of hall.toml, for editors; nothing here reads it
//! rules.json       WCP's rules
//! keys/            the keyring (public keys by namespace) and the secrets, readable by the owner only
//! registry.db      the registry
//! keyvalue.db      what skills keep from one call to the next; made when it is first needed
//! ledger/          the ledger's segments
//! packages/        installed packages, one folder each, named by manifest hash
//! published/       published packages as .skill files, named by manifest hash
//! policy/          hall.toml and rules as they were enrolled, named by their digest
//! cache/           compiled code, under a MAC
//! ```

use std::path::{Path, PathBuf};

use cap_fs_ext::DirExt as _;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, MetadataExt as _};
use skillhall_core::digest::Digest;
use skillhall_core::store;

use super::Fault;
use crate::sandbox::Reserved;

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
        for part in [".", KEYS, LEDGER, PACKAGES, SHELF, POLICY, CACHE, REGISTRY, STORES, CONFIG] {
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
        for part in [KEYS, LEDGER, PACKAGES, CACHE, SHELF, POLICY] {
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
pub fn configuration_digest(config: &str, rules: &str) -> Digest {
    let parts = [("hall.toml", Digest::of(config.as_bytes())), ("rules", Digest::of(rules.as_bytes()))];
    let mut text = String::new();
    for (name, digest) in parts {
        text.push_str(name);
        text.push(' ');
        text.push_str(&digest.to_string());
        text.push('\n');
    }
    Digest::of(text.as_bytes())
}

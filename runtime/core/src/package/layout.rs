//! The closed set of files that a package may hold, and the package as a folder.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use cap_std::fs::{Dir, FileType};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags};

use super::files::{AWP_MANIFEST, COMPONENT, DSSE_ENVELOPE, Package, PackageError, SKILL_JSON};
use crate::store;

/// The most bytes of component.wasm: 64 MiB.
pub const MAX_COMPONENT: u64 = 64 << 20;
/// The most bytes of skill.json: 1 MiB.
pub const MAX_SKILL_JSON: u64 = 1 << 20;
/// The most bytes of each attestation: 64 KiB.
pub const MAX_ATTESTATION: u64 = 64 << 10;
/// The most bytes of each file under `adapters/`, `docs/` and `assets/`: 8 MiB.
pub const MAX_FILE: u64 = 8 << 20;
/// The most bytes of all files under `adapters/`, `docs/` and `assets/` together: 32 MiB.
pub const MAX_FILES_TOGETHER: u64 = 32 << 20;
/// The most files of a package.
pub const MAX_FILES: usize = 256;
/// The most bytes of a path in a package: what the one archive form holds in one field (POSIX.1-2024, pax, ustar).
pub const MAX_PATH: usize = 100;

const FOLDERS: [&str; 3] = ["adapters", "docs", "assets"];
const MAX_NAME: usize = 64;
/// Names below one of the three folders.
const MAX_DEPTH: usize = 4;

/// Checks names, count and sizes.
///
/// # Errors
/// [`PackageError::Layout`] naming the first file that may not be there.
pub fn check(files: &BTreeMap<String, Arc<[u8]>>) -> Result<(), PackageError> {
    let mut budget = Budget::default();
    for (path, bytes) in files {
        let max = budget.admit(path)?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if size > max {
            return Err(too_large(path, max));
        }
        budget.spend(path, size);
        let parents = path.match_indices('/').map(|(at, _)| path.get(..at).unwrap_or_default());
        for parent in parents {
            if files.contains_key(parent) {
                return Err(PackageError::Layout(format!("{parent} is both a file and a folder")));
            }
        }
    }
    Ok(())
}

/// Reads a package from a folder, every file once, following no link.
///
/// # Errors
/// [`PackageError::Layout`] for anything in the folder that no package may hold (an empty folder too),
/// [`PackageError::Unreadable`] if the operating system cannot read something, and what [`Package::from_files`] refuses.
pub fn read(dir: &Dir) -> Result<Package, PackageError> {
    let mut reader = Reader::default();
    reader.folder(dir, "")?;
    Package::from_files(reader.files)
}

/// Writes a package as the folder `name` in `parent`, whole or not at all: into a temporary folder beside it, synced, then
/// renamed. A package that is there under that name is replaced; anything else there is left alone.
///
/// # Errors
/// If `name` is no single name, something that is no package's folder is there already, or any step fails; what was there is
/// then untouched.
pub fn write(package: &Package, parent: &Dir, name: &str) -> io::Result<()> {
    if name.is_empty() || name.contains(['/', '\0']) || matches!(name, "." | "..") {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a package's folder has a single name"));
    }
    let temporary = format!(".{}.tmp", crate::random::uuid().map_err(io::Error::other)?);
    parent.create_dir(&temporary)?;
    let result = write_files(package, &open_folder(parent, &temporary)?).and_then(|()| put_in_place(parent, &temporary, name));
    // After an exchange the temporary folder holds the old package, after a failure what was written; after a plain rename
    // it is gone. A folder that cannot be removed is harmless: nothing reads it by that name.
    let _ = parent.remove_dir_all(&temporary);
    result?;
    store::sync_folder(parent)
}

/// What may still be in a package, while its files are looked at one by one.
#[derive(Default)]
pub(super) struct Budget {
    files: usize,
    together: u64,
}

impl Budget {
    /// How many bytes the file at this path may have.
    pub(super) fn admit(&mut self, path: &str) -> Result<u64, PackageError> {
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(PackageError::Layout(format!("a package holds at most {MAX_FILES} files")));
        }
        Ok(match path {
            SKILL_JSON => MAX_SKILL_JSON,
            COMPONENT => MAX_COMPONENT,
            AWP_MANIFEST | DSSE_ENVELOPE => MAX_ATTESTATION,
            _ => {
                check_path(path)?;
                let rest = MAX_FILES_TOGETHER.saturating_sub(self.together);
                if rest == 0 {
                    return Err(PackageError::Layout(format!(
                        "the files under adapters/, docs/ and assets/ are larger than {MAX_FILES_TOGETHER} bytes together"
                    )));
                }
                MAX_FILE.min(rest)
            }
        })
    }

    /// Counts a file that was admitted.
    pub(super) fn spend(&mut self, path: &str, size: u64) {
        if path.contains('/') {
            self.together = self.together.saturating_add(size);
        }
    }
}

pub(super) fn too_large(path: &str, max: u64) -> PackageError {
    PackageError::Layout(format!("{path} is larger than {max} bytes"))
}

/// Holds the path of a file below one of the three folders to the rules.
fn check_path(path: &str) -> Result<(), PackageError> {
    let shown: String = path.chars().take(120).flat_map(char::escape_default).collect();
    let refuse = |rule: &str| Err(PackageError::Layout(format!("'{shown}' may not be in a package: {rule}")));
    let Some((folder, rest)) = path.split_once('/') else {
        return refuse(
            "beside skill.json, component.wasm and the attestations there are only the folders adapters, docs and assets",
        );
    };
    if !FOLDERS.contains(&folder) {
        return refuse("the folders are adapters, docs and assets");
    }
    if path.len() > MAX_PATH {
        return refuse("a path has at most 100 bytes");
    }
    let names: Vec<&str> = rest.split('/').collect();
    if names.len() > MAX_DEPTH {
        return refuse("files lie at most 4 names below their folder");
    }
    if let Some(rule) = names.iter().find_map(|name| fault_of_name(name)) {
        return refuse(rule);
    }
    Ok(())
}

fn fault_of_name(name: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(allowed) {
        return Some("names are 1 to 64 of a-z, 0-9, '.', '_' and '-'");
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return Some("a name does not begin or end with a dot, nor holds two in a row");
    }
    // What WCP's package hash leaves out at any depth would be a file that the awp.v1 attestation does not cover.
    let excluded = matches!(name, "__pycache__" | AWP_MANIFEST | DSSE_ENVELOPE | "manifest.tmp") || name.ends_with(".pyc");
    excluded.then_some("this name is left out of WCP's package hash, so nobody would vouch for the file")
}

#[derive(Default)]
struct Reader {
    files: BTreeMap<String, Arc<[u8]>>,
    budget: Budget,
}

impl Reader {
    fn folder(&mut self, dir: &Dir, prefix: &str) -> Result<(), PackageError> {
        let mut is_empty = true;
        for entry in dir.entries().map_err(|error| unreadable(prefix, &error))? {
            let entry = entry.map_err(|error| unreadable(prefix, &error))?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else {
                return Err(PackageError::Layout(format!("{prefix} holds a name that is no UTF-8")));
            };
            let path = format!("{prefix}{name}");
            self.entry(dir, name, &path, entry.file_type().map_err(|error| unreadable(&path, &error))?)?;
            is_empty = false;
        }
        if is_empty && !prefix.is_empty() {
            return Err(PackageError::Layout(format!("{prefix} is an empty folder; a package holds only files")));
        }
        Ok(())
    }

    fn entry(&mut self, dir: &Dir, name: &str, path: &str, kind: FileType) -> Result<(), PackageError> {
        if kind.is_dir() {
            check_folder(path)?;
            let folder = open_folder(dir, name).map_err(|error| unreadable(path, &error))?;
            return self.folder(&folder, &format!("{path}/"));
        }
        // The name is judged before anything is opened, so that an odd file is told as such and not read.
        let max = self.budget.admit(path)?;
        if !kind.is_file() {
            return Err(PackageError::Layout(format!("{path} is a link, device or pipe; a package holds regular files only")));
        }
        let bytes = store::read(dir, name, max).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => too_large(path, max),
            _ => unreadable(path, &error),
        })?;
        self.budget.spend(path, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        self.files.insert(path.to_owned(), bytes.into());
        Ok(())
    }
}

/// A folder is in order if a file in it could be.
fn check_folder(path: &str) -> Result<(), PackageError> {
    if FOLDERS.contains(&path) {
        return Ok(());
    }
    check_path(&format!("{path}/f")).map_err(|_| {
        let shown: String = path.chars().take(120).flat_map(char::escape_default).collect();
        PackageError::Layout(format!("the folder '{shown}' may not be in a package"))
    })
}

fn unreadable(path: &str, error: &io::Error) -> PackageError {
    let shown: String = path.chars().take(120).flat_map(char::escape_default).collect();
    PackageError::Unreadable(if shown.is_empty() { error.to_string() } else { format!("{shown}: {error}") })
}

/// Opens a folder by a single name, following no link.
fn open_folder(dir: &Dir, name: &str) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(folder.into()))
}

fn write_files(package: &Package, dir: &Dir) -> io::Result<()> {
    let mut folders: Vec<&str> = Vec::new();
    for (path, bytes) in package.files() {
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..at).unwrap_or_default();
            if !folders.contains(&folder) {
                dir.create_dir(folder)?;
                folders.push(folder);
            }
        }
        write_file(dir, path, bytes)?;
    }
    for folder in folders {
        store::sync_folder(&dir.open_dir(folder)?)?;
    }
    store::sync_folder(dir)
}

fn write_file(dir: &Dir, path: &str, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    let mut options = cap_std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    let mut file = dir.open_with(path, &options)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn put_in_place(parent: &Dir, temporary: &str, name: &str) -> io::Result<()> {
    match rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(rustix::io::Errno::NOENT) => Ok(rustix::fs::renameat_with(parent, temporary, parent, name, RenameFlags::NOREPLACE)?),
        Err(error) => Err(error.into()),
        Ok(_) => {
            refuse_unless_package(parent, name)?;
            Ok(rustix::fs::renameat_with(parent, temporary, parent, name, RenameFlags::EXCHANGE)?)
        }
    }
}

/// What is replaced is removed, so it has to look like a package: a folder with nothing in it but what a package has.
fn refuse_unless_package(parent: &Dir, name: &str) -> io::Result<()> {
    let refuse = || io::Error::new(io::ErrorKind::AlreadyExists, format!("{name} is there already and is no package"));
    let folder = open_folder(parent, name).map_err(|_| refuse())?;
    for entry in folder.entries()? {
        let name = entry?.file_name();
        let known = [SKILL_JSON, COMPONENT, AWP_MANIFEST, DSSE_ENVELOPE].iter().chain(&FOLDERS).any(|known| name == **known);
        if !known {
            return Err(refuse());
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests/layout.rs"]
mod tests;

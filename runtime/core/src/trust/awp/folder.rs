//! Any folder as awp.v1 sees it: for workers that are no skills.
//!
//! Stricter than the reference, which follows links and hashes names with line feeds in them: a link, a special file, a
//! name that is no UTF-8 or holds a line feed is refused, unless the package hash leaves it out anyway.

use std::io::{self, Read as _};

use cap_std::fs::{Dir, FileType, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{Mode, OFlags};
use sha2::{Digest as _, Sha256};

use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::package::files::AWP_MANIFEST;
use crate::store;

use super::{FileRecord, hash_records, is_excluded};

const MAX_FILES: usize = 20_000;
const MAX_BYTES: u64 = 4 << 30;
const MAX_DEPTH: usize = 64;
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

/// A worker's folder, read once.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its files, without those that the package hash leaves out.
    pub records: Vec<FileRecord>,
    /// The bytes of manifest.json in its root, if that is there.
    pub manifest: Option<Vec<u8>>,
}

impl Folder {
    /// The package hash.
    #[must_use]
    pub fn package_hash(&self) -> Digest {
        hash_records(self.records.iter().cloned())
    }
}

/// Reads and hashes a folder: at most 20,000 files, 4 GiB, 64 levels.
///
/// # Errors
/// `ATTEST_PACKAGE_LAYOUT` for what may not be in it or cannot be read, `ATTEST_MANIFEST_MISSING` if manifest.json is
/// there and cannot be read.
pub fn read_folder(dir: &Dir) -> Result<Folder, Denial> {
    let manifest = match store::read(dir, AWP_MANIFEST, MAX_MANIFEST_BYTES) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Denial::new(Code::ManifestMissing, format!("manifest.json cannot be read: {error}"))),
    };
    let mut walk = Walk { records: Vec::new(), bytes: 0 };
    walk.folder(dir, "", 0)?;
    Ok(Folder { records: walk.records, manifest })
}

struct Walk {
    records: Vec<FileRecord>,
    bytes: u64,
}

impl Walk {
    fn folder(&mut self, dir: &Dir, prefix: &str, depth: usize) -> Result<(), Denial> {
        if depth > MAX_DEPTH {
            return Err(refused(prefix, "is nested too deeply"));
        }
        for entry in dir.entries().map_err(|error| unreadable(prefix, &error))? {
            let entry = entry.map_err(|error| unreadable(prefix, &error))?;
            let name = entry.file_name();
            let name =
                name.to_str().ok_or_else(|| refused(&format!("{prefix}{}", name.to_string_lossy()), "is no UTF-8 name"))?;
            let path = format!("{prefix}{name}");
            let kind = entry.file_type().map_err(|error| unreadable(&path, &error))?;
            self.entry(dir, name, &path, kind, depth)?;
        }
        Ok(())
    }

    fn entry(&mut self, dir: &Dir, name: &str, path: &str, kind: FileType, depth: usize) -> Result<(), Denial> {
        // A folder named like a compiled file is no compiled file; only what is in it can be one.
        if is_excluded(path) && (!kind.is_dir() || !name.ends_with(".pyc")) {
            return Ok(());
        }
        if name.contains('\n') {
            return Err(refused(path, "has a line feed in its name"));
        }
        if kind.is_dir() {
            let inner = open_folder(dir, name).map_err(|error| unreadable(path, &error))?;
            return self.folder(&inner, &format!("{path}/"), depth + 1);
        }
        if !kind.is_file() {
            return Err(refused(path, "is a link or no regular file"));
        }
        if self.records.len() >= MAX_FILES {
            return Err(refused(path, "is one file too many"));
        }
        let (size, digest) = hash_file(dir, name, MAX_BYTES - self.bytes).map_err(|error| unreadable(path, &error))?;
        self.bytes += size;
        self.records.push(FileRecord { path: path.to_owned(), size, digest });
        Ok(())
    }
}

fn open_folder(dir: &Dir, name: &str) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = rustix::fs::openat(dir, name, flags, Mode::empty())?;
    Ok(Dir::from_std_file(opened.into()))
}

fn hash_file(dir: &Dir, name: &str, room: u64) -> io::Result<(u64, Digest)> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed());
    let file = dir.open_with(name, &options)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no regular file"));
    }
    let mut file = file.take(room.saturating_add(1));
    let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 64 << 10]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        size += read as u64;
    }
    if size > room {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "the folder is too large"));
    }
    Ok((size, Digest::from_bytes(hasher.finalize().into())))
}

fn refused(path: &str, what: &str) -> Denial {
    Denial::new(Code::PackageLayout, format!("{} {what}", path.escape_default()))
}

fn unreadable(path: &str, error: &io::Error) -> Denial {
    let place = if path.is_empty() { "the folder".to_owned() } else { path.escape_default().to_string() };
    Denial::new(Code::PackageLayout, format!("{place} cannot be read: {error}"))
}

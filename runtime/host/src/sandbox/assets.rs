//! The package's own assets as a folder that its guest reads under `/assets`.
//!
//! What a guest reads has to be what was verified, so the folder is written from the package that is held in memory and not opened
//! where the package was read from. It lies in the hall, in a place of this process alone, and is kept for the next call of the same
//! package. Before each call it is looked at: other files, or one that was touched since it was written (the kernel's change time,
//! which nobody sets), and it is written anew in another place.
//!
//! ```text
//! assets/<random>/        one process's, locked as long as the process lives; what nobody has locked is removed
//!     <number>/           one package's, as it stood when it was written
//! ```

use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use cap_fs_ext::{DirExt as _, FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{FlockOperation, Mode, OFlags, flock, openat};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::package::Package;
use skillhall_core::random;

/// The folder in the hall.
pub(crate) const ASSETS: &str = "assets";
/// How the paths of assets begin in a package.
const PREFIX: &str = "assets/";
/// How many packages' assets are kept, unless more of them are in use.
const KEPT: usize = 32;

/// The assets of the packages that this process runs, on the disk. Nothing is there before they are first asked for.
#[derive(Debug)]
pub struct Assets {
    hall: Option<Dir>,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    place: Option<Place>,
    written: BTreeMap<Digest, Written>,
    clock: u64,
}

/// One process's place.
#[derive(Debug)]
struct Place {
    above: Dir,
    name: String,
    dir: Dir,
    _lock: OwnedFd,
    count: u64,
}

/// One package's folder.
#[derive(Debug)]
struct Written {
    name: String,
    dir: Arc<OwnedFd>,
    marks: BTreeMap<String, Mark>,
    used: u64,
}

/// What a file or folder was when it was written. Its change time moves with every change of content, names below it, and rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    inode: u64,
    size: u64,
    changed: (i64, i64),
}

impl Assets {
    /// In this hall's folder.
    pub(crate) fn within(hall: Dir) -> Self {
        Self { hall: Some(hall), shelf: Mutex::default() }
    }

    /// Of a host that lays out none.
    #[must_use]
    pub fn nowhere() -> Self {
        Self { hall: None, shelf: Mutex::default() }
    }

    /// The folder with the package's assets. As long as somebody holds it, it stays.
    pub(crate) fn of(&self, package: &Package) -> Result<Arc<OwnedFd>, Denial> {
        let failed = |error: io::Error| {
            Denial::new(Code::CapabilityNotGranted, format!("the package's own assets could not be laid out: {error}"))
        };
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        self.folder(&mut shelf, package).map_err(failed)
    }

    fn folder(&self, shelf: &mut Shelf, package: &Package) -> io::Result<Arc<OwnedFd>> {
        let hash = package.manifest_hash();
        shelf.clock = shelf.clock.saturating_add(1);
        let now = shelf.clock;
        if let Some(written) = shelf.written.get_mut(&hash) {
            if marks(&as_dir(&written.dir)?).is_ok_and(|marks| marks == written.marks) {
                written.used = now;
                return Ok(Arc::clone(&written.dir));
            }
            shelf.written.remove(&hash);
        }
        let place = match shelf.place.as_mut() {
            Some(place) if place.is_there() => place,
            _ => shelf.place.insert(Place::new(self.hall.as_ref().ok_or(io::ErrorKind::Unsupported)?)?),
        };
        place.count = place.count.saturating_add(1);
        let name = place.count.to_string();
        let dir = place.write(&name, package)?;
        let marks = marks(&dir)?;
        let dir = Arc::new(readable(&dir)?);
        shelf.written.insert(hash, Written { name, dir: Arc::clone(&dir), marks, used: now });
        shelf.make_room();
        Ok(dir)
    }
}

impl Shelf {
    /// Removes what was not used for the longest time; never what a guest has.
    fn make_room(&mut self) {
        let Some(place) = &self.place else { return };
        while self.written.len() > KEPT {
            let idle = self.written.iter().filter(|(_, written)| Arc::strong_count(&written.dir) == 1);
            let Some(hash) = idle.min_by_key(|(_, written)| written.used).map(|(hash, _)| *hash) else { return };
            if let Some(written) = self.written.remove(&hash) {
                // What is left is removed with the place.
                let _ = place.dir.remove_dir_all(&written.name);
            }
        }
    }
}

impl Place {
    /// Makes a place of one's own, and removes those whose processes are gone.
    fn new(hall: &Dir) -> io::Result<Self> {
        if let Err(error) = make(hall, ASSETS)
            && error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error);
        }
        let above = hall.open_dir_nofollow(ASSETS)?;
        sweep(&above);
        // Somebody who sweeps can remove it before it is locked; then another one is made.
        for _ in 0..16 {
            let name = random::uuid().map_err(io::Error::other)?;
            make(&above, &name)?;
            let Ok(dir) = above.open_dir_nofollow(&name) else { continue };
            let Ok(lock) = lock(&dir) else { continue };
            let place = Self { above: above.try_clone()?, name, dir, _lock: lock, count: 0 };
            if place.is_there() {
                return Ok(place);
            }
        }
        Err(io::Error::other("its place is removed again and again"))
    }

    /// Whether its name still leads to it.
    fn is_there(&self) -> bool {
        let named = self.above.symlink_metadata(&self.name).map(|found| (found.dev(), found.ino()));
        let held = self.dir.dir_metadata().map(|found| (found.dev(), found.ino()));
        matches!((named, held), (Ok(named), Ok(held)) if named == held)
    }

    /// Writes a package's assets into a new folder.
    fn write(&self, name: &str, package: &Package) -> io::Result<Dir> {
        make(&self.dir, name)?;
        let dir = self.dir.open_dir_nofollow(name)?;
        let written = package.files().filter_map(|(path, bytes)| Some((path.strip_prefix(PREFIX)?, bytes))).try_for_each(
            |(path, bytes)| {
                let (above, file) = path.rsplit_once('/').unwrap_or(("", path));
                let mut below = dir.try_clone()?;
                for part in above.split('/').filter(|part| !part.is_empty()) {
                    match make(&below, part) {
                        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                        _ => below = below.open_dir_nofollow(part)?,
                    }
                }
                let mut options = OpenOptions::new();
                options.write(true).create_new(true).mode(0o400).follow(FollowSymlinks::No);
                io::Write::write_all(&mut below.open_with(file, &options)?, bytes)
            },
        );
        if let Err(error) = written {
            let _ = self.dir.remove_dir_all(name);
            return Err(error);
        }
        Ok(dir)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whoever cannot remove it leaves it to the next who sweeps.
        let _ = self.above.remove_dir_all(&self.name);
    }
}

/// Removes the places that nobody has locked: their processes are gone.
fn sweep(above: &Dir) {
    for entry in above.entries().into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Ok(dir) = above.open_dir_nofollow(&name) else { continue };
        if let Ok(_lock) = lock(&dir) {
            let _ = above.remove_dir_all(&name);
        }
    }
}

/// A handle that can do more than name the folder.
fn readable(dir: &Dir) -> io::Result<OwnedFd> {
    Ok(openat(dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?)
}

/// Locks a folder for as long as what this gives is there.
fn lock(dir: &Dir) -> io::Result<OwnedFd> {
    let held = readable(dir)?;
    flock(&held, FlockOperation::NonBlockingLockExclusive)?;
    Ok(held)
}

fn make(above: &Dir, name: &str) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    above.create_dir_with(name, &builder)
}

fn as_dir(dir: &OwnedFd) -> io::Result<Dir> {
    Dir::reopen_dir(dir)
}

/// What is in a folder now.
fn marks(dir: &Dir) -> io::Result<BTreeMap<String, Mark>> {
    let mut found = BTreeMap::new();
    let own = dir.dir_metadata()?;
    found.insert(String::new(), mark(&own));
    let mut folders = vec![(String::new(), dir.try_clone()?)];
    while let Some((path, dir)) = folders.pop() {
        for entry in dir.entries()? {
            let name = entry?.file_name().into_string().map_err(|_| io::ErrorKind::InvalidData)?;
            let metadata = dir.symlink_metadata(&name)?;
            let path = format!("{path}/{name}");
            found.insert(path.clone(), mark(&metadata));
            if metadata.is_dir() {
                folders.push((path, dir.open_dir_nofollow(&name)?));
            }
        }
    }
    Ok(found)
}

fn mark(metadata: &cap_std::fs::Metadata) -> Mark {
    Mark { inode: metadata.ino(), size: metadata.size(), changed: (metadata.ctime(), metadata.ctime_nsec()) }
}

//! Files on disk, reached through directory handles only.
//!
//! Every read is capped, follows no link in the last step and takes regular files only; every write is whole or not at
//! all: a temporary file beside the target, synced, renamed over it, and the folder synced.

use std::io::{self, Read as _, Write as _};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};

/// Reads a regular file of at most `max` bytes, once.
///
/// # Errors
/// If it is not there, is a link or no regular file, is larger than `max`, or cannot be read.
pub fn read(dir: &Dir, path: &str, max: u64) -> io::Result<Vec<u8>> {
    let mut options = OpenOptions::new();
    // Without O_NONBLOCK, opening a FIFO that was put in the file's place would wait for a writer for ever.
    options.read(true).custom_flags(flags());
    let file = dir.open_with(path, &options)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{path} is no regular file")));
    }
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("{path} is larger than {max} bytes"));
    if metadata.len() > max {
        return Err(too_large());
    }
    // The file may grow while it is read, so what is read is bounded, too.
    let mut bytes = Vec::new();
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        return Err(too_large());
    }
    Ok(bytes)
}

fn flags() -> i32 {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    flags.bits().cast_signed()
}

/// Writes a file whole: whoever reads it sees the old bytes or the new, never half, and after this returns the new ones
/// survive a crash. `mode` is the Unix mode of the new file (0o600 for secrets).
///
/// # Errors
/// If any step fails; the old file is then untouched.
pub fn write(dir: &Dir, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let temporary = format!("{path}.{}.tmp", crate::random::uuid().map_err(io::Error::other)?);
    let result = write_and_rename(dir, &temporary, path, bytes, mode);
    if result.is_err() {
        // The target is untouched; a temporary that cannot be removed either is harmless: nothing reads it by that name.
        let _ = dir.remove_file(&temporary);
    }
    result
}

fn write_and_rename(dir: &Dir, temporary: &str, path: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(mode);
    let mut file = dir.open_with(temporary, &options)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    dir.rename(temporary, dir, path)?;
    sync_folder_of(dir, path)
}

/// Makes the entries of a folder durable.
///
/// # Errors
/// If the operating system cannot.
pub fn sync_folder(dir: &Dir) -> io::Result<()> {
    // A Dir may be an O_PATH handle, which cannot be synced; the folder is opened anew from it.
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
    let folder = rustix::fs::openat(dir, ".", flags, rustix::fs::Mode::empty())?;
    rustix::fs::fsync(folder).map_err(io::Error::from)
}

fn sync_folder_of(dir: &Dir, path: &str) -> io::Result<()> {
    match path.rsplit_once('/') {
        Some((folder, _)) => sync_folder(&dir.open_dir(folder)?),
        None => sync_folder(dir),
    }
}

//! Opening what lies below a folder: only files and folders, and never waiting for anything.
//!
//! A named pipe makes an ordinary open wait until somebody opens its other end, in a thread that nothing can stop; opening a
//! device can set it going. So each open asks not to wait, and what it gave is kept only if it is a file or a folder.

use std::io;

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt as _};
use cap_std::fs::{Dir as CapDir, FileType, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{OFlags, fcntl_setfl};
use wasmtime_wasi::OpenMode;
use wasmtime_wasi::filesystem::{Descriptor, Dir, File};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{DescriptorFlags, ErrorCode, OpenFlags, PathFlags};
use wasmtime_wasi::runtime::spawn_blocking;

use crate::sandbox::reserved::is_of_the_kernel;

/// What a guest asks to be opened, after its rights were held against it.
struct Opening {
    options: OpenOptions,
    mode: OpenMode,
    follow: bool,
    folder: bool,
}

/// What was opened.
enum Opened {
    Folder(std::fs::File),
    File(std::fs::File),
    Refused,
    NoFolder,
}

/// Opens a path below a folder, which no link or `..` on the way can leave (`openat2`, `RESOLVE_BENEATH`). What comes of it has
/// the rights of the folder.
pub(super) async fn open(
    dir: &Dir,
    path_flags: PathFlags,
    path: String,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
) -> FsResult<Descriptor> {
    let opening = opening(path_flags, open_flags, flags)?;
    if dir.perms.write_not_permitted() && opening.mode.contains(OpenMode::WRITE) {
        return Err(ErrorCode::NotPermitted.into());
    }
    let (mode, below) = (opening.mode, dir.dir.clone());
    match spawn_blocking(move || opening.open(&below, &path)).await? {
        Opened::Folder(folder) => Ok(Descriptor::Dir(Dir::new(folder, dir.perms, mode, false))),
        Opened::File(file) => Ok(Descriptor::File(File::new(file, dir.perms, mode, false))),
        Opened::Refused => Err(ErrorCode::NotPermitted.into()),
        Opened::NoFolder => Err(ErrorCode::NotDirectory.into()),
    }
}

fn opening(path_flags: PathFlags, open_flags: OpenFlags, flags: DescriptorFlags) -> Result<Opening, ErrorCode> {
    let synced =
        DescriptorFlags::FILE_INTEGRITY_SYNC | DescriptorFlags::DATA_INTEGRITY_SYNC | DescriptorFlags::REQUESTED_WRITE_SYNC;
    if flags.intersects(synced) {
        return Err(ErrorCode::Unsupported);
    }
    let folder = open_flags.contains(OpenFlags::DIRECTORY);
    if folder && open_flags != OpenFlags::DIRECTORY {
        return Err(ErrorCode::Invalid);
    }
    let mut options = OpenOptions::new();
    let mut mode = OpenMode::empty();
    if open_flags.contains(OpenFlags::CREATE) {
        // What must be new is made new; what may be there already is not.
        let exclusive = open_flags.contains(OpenFlags::EXCLUSIVE);
        options.create(!exclusive).create_new(exclusive).write(true);
        mode |= OpenMode::WRITE;
    }
    if open_flags.contains(OpenFlags::TRUNCATE) {
        options.truncate(true).write(true);
        mode |= OpenMode::WRITE;
    }
    if flags.contains(DescriptorFlags::WRITE) {
        options.write(true);
        mode |= OpenMode::WRITE;
    }
    if flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE) {
        options.read(true);
        mode |= OpenMode::READ;
    }
    let follow = path_flags.contains(PathFlags::SYMLINK_FOLLOW);
    options.follow(FollowSymlinks::follow(follow));
    options.custom_flags(OFlags::NONBLOCK.union(OFlags::NOCTTY).bits().cast_signed());
    Ok(Opening { options, mode, follow, folder })
}

impl Opening {
    fn open(&self, below: &std::fs::File, path: &str) -> io::Result<Opened> {
        let dir = CapDir::from_std_file(below.try_clone()?);
        // Looked at first, so that nothing is opened only to be refused; looked at again when it is open, since it can have
        // been replaced between.
        let seen = if self.follow { dir.metadata(path) } else { dir.symlink_metadata(path) };
        if seen.is_ok_and(|seen| !is_ordinary(seen.file_type()) && !seen.is_symlink()) {
            return Ok(Opened::Refused);
        }
        let file = dir.open_with(path, &self.options)?.into_std();
        let metadata = file.metadata()?;
        if !(metadata.is_file() || metadata.is_dir()) || is_of_the_kernel(&file)? {
            return Ok(Opened::Refused);
        }
        fcntl_setfl(&file, rustix::fs::fcntl_getfl(&file)?.difference(OFlags::NONBLOCK))?;
        if metadata.is_dir() {
            return Ok(Opened::Folder(file));
        }
        Ok(if self.folder { Opened::NoFolder } else { Opened::File(file) })
    }
}

fn is_ordinary(kind: FileType) -> bool {
    kind.is_file() || kind.is_dir()
}

#[cfg(test)]
mod tests {
    use wasmtime_wasi::FsPerms;

    use super::*;

    #[test]
    fn a_file_of_the_kernel_is_refused_wherever_it_is_met() {
        let root = Dir::new(std::fs::File::open("/").unwrap(), FsPerms::ReadOnly, OpenMode::READ, false);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let opened = |path: &str| {
            let path = path.to_owned();
            runtime.block_on(open(&root, PathFlags::SYMLINK_FOLLOW, path, OpenFlags::empty(), DescriptorFlags::READ))
        };
        for path in ["proc", "proc/self/environ", "proc/version"] {
            let error = opened(path).err().unwrap().downcast().unwrap();
            assert_eq!(error, ErrorCode::NotPermitted, "{path}");
        }
        assert!(opened("usr").is_ok());
    }
}

//! Ways through the host's file system on which no link leads elsewhere than the policy says: name by name, from the root.

use std::os::fd::OwnedFd;

use rustix::fs::{Mode, OFlags, open, openat};
use rustix::io;

use super::reserved::{Identity, identity};

/// On the way no folder has to be readable.
const WAY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Opens a folder that can be read.
pub(super) fn folder(path: &str) -> io::Result<OwnedFd> {
    let mut dir = open("/", WAY, Mode::empty())?;
    for name in names(path) {
        dir = openat(&dir, name, WAY, Mode::empty())?;
    }
    openat(&dir, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// Opens whatever stands at the path for reading, without waiting for it, and tells in which folders it lies.
pub(super) fn file(path: &str) -> io::Result<(OwnedFd, Vec<Identity>)> {
    let mut dir = open("/", WAY, Mode::empty())?;
    let mut folders = vec![identity(&dir)?];
    let mut names = names(path).peekable();
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            return Ok((openat(&dir, name, flags, Mode::empty())?, folders));
        }
        dir = openat(&dir, name, WAY, Mode::empty())?;
        folders.push(identity(&dir)?);
    }
    Err(io::Errno::ISDIR)
}

fn names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}

//! Locks between processes: `flock` on a file of the folder. The operating system lets go of them when a process dies.

use std::io;
use std::time::{Duration, Instant};

use cap_std::fs::{Dir, File, MetadataExt as _, OpenOptions, OpenOptionsExt as _};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::segment::flags;

const PATIENCE: Duration = Duration::from_secs(10);
const FIRST_PAUSE: Duration = Duration::from_micros(100);
const LONGEST_PAUSE: Duration = Duration::from_millis(4);

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "closing the file lets go of the lock")] File);

impl Lock {
    /// Takes the lock for itself alone. The file is made if it is not there.
    ///
    /// # Errors
    /// [`io::ErrorKind::TimedOut`] after ten seconds of waiting; otherwise what the operating system says.
    pub(super) fn exclusive(dir: &Dir, name: &str) -> io::Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let file = open(dir, name, true)?;
            wait(&file, FlockOperation::NonBlockingLockExclusive, deadline)?;
            // Whoever removed or replaced the file meanwhile would let two holders in.
            if dir.symlink_metadata(name).is_ok_and(|at| is_same(&at, &file)) {
                return Ok(Self(file));
            }
            if Instant::now() >= deadline {
                return Err(io::Error::new(io::ErrorKind::TimedOut, format!("{name} is replaced again and again")));
            }
        }
    }

    /// Takes the lock together with other readers; `None` in a folder that has no lock file (a copy).
    ///
    /// # Errors
    /// As [`exclusive`](Self::exclusive).
    pub(super) fn shared(dir: &Dir, name: &str) -> io::Result<Option<Self>> {
        let file = match open(dir, name, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        wait(&file, FlockOperation::NonBlockingLockShared, Instant::now() + PATIENCE)?;
        Ok(Some(Self(file)))
    }
}

/// Whether what stands at a name is the file that is open.
pub(super) fn is_same(at: &cap_std::fs::Metadata, file: &File) -> bool {
    file.metadata().is_ok_and(|open| open.dev() == at.dev() && open.ino() == at.ino())
}

fn open(dir: &Dir, name: &str, create: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(create).create(create).mode(0o600).custom_flags(flags());
    dir.open_with(name, &options)
}

fn wait(file: &File, operation: FlockOperation, deadline: Instant) -> io::Result<()> {
    let mut pause = FIRST_PAUSE;
    loop {
        match flock(file, operation) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK | Errno::INTR) if Instant::now() < deadline => std::thread::sleep(pause),
            Err(Errno::WOULDBLOCK | Errno::INTR) => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process has held the lock for ten seconds"));
            }
            Err(error) => return Err(error.into()),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

//! Where the file lies, and whether it is still the one that was opened.
//!
//! The database is only ever looked at by its name here, never opened: in one process, closing any descriptor of the file
//! would drop the locks that `SQLite` holds on it.
#![expect(clippy::disallowed_methods, reason = "`SQLite` opens by path, so what the path leads to is what must be looked at")]

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{DatabaseError, unreachable};

/// What `SQLite` puts beside a database; a leftover of an earlier one would be taken for part of a new one.
const COMPANIONS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file, its write-ahead log and its index of that log, each by name and by what it was when it was opened.
pub(super) struct Place {
    database: PathBuf,
    opened: Vec<(PathBuf, (u64, u64))>,
}

impl Place {
    /// The place of a database that is about to be opened.
    pub(super) fn find(path: &Path) -> Result<Self, DatabaseError> {
        let database = resolve(path).map_err(|error| at(path, &error))?;
        let metadata = fs::symlink_metadata(&database).map_err(|error| at(&database, &error))?;
        if !metadata.is_file() {
            return Err(unreachable(format_args!("{} is no regular file", database.display())));
        }
        if metadata.mode() & 0o022 != 0 {
            return Err(unreachable(format_args!("{} can be written by others than its owner", database.display())));
        }
        let opened = vec![(database.clone(), identity(&metadata))];
        Ok(Self { database, opened })
    }

    /// The database's name, absolute and without links.
    pub(super) fn database(&self) -> &Path {
        &self.database
    }

    /// Adds the companions of an open database in WAL mode: as long as one connection is open, they stay what they are.
    pub(super) fn with_companions(mut self) -> Result<Self, DatabaseError> {
        self.check()?;
        for suffix in ["-wal", "-shm"] {
            let path = companion(&self.database, suffix);
            let metadata = fs::symlink_metadata(&path).map_err(|error| at(&path, &error))?;
            self.opened.push((path, identity(&metadata)));
        }
        Ok(self)
    }

    /// Whether every file is the one that was opened.
    pub(super) fn check(&self) -> Result<(), DatabaseError> {
        for (path, opened) in &self.opened {
            let metadata = fs::symlink_metadata(path).map_err(|error| at(path, &error))?;
            if identity(&metadata) != *opened {
                return Err(unreachable(format_args!("{} was replaced while it was open", path.display())));
            }
        }
        Ok(())
    }
}

/// Makes a database under a temporary name and gives it its own name once it is whole and on the disk.
pub(super) fn create(path: &Path, write: impl FnOnce(&mut Connection) -> Result<(), DatabaseError>) -> Result<(), DatabaseError> {
    let database = resolve(path).map_err(|error| at(path, &error))?;
    for name in std::iter::once(database.clone()).chain(COMPANIONS.map(|suffix| companion(&database, suffix))) {
        if fs::symlink_metadata(&name).is_ok() {
            return Err(DatabaseError::Conflict(format!("{} is there already", name.display())));
        }
    }
    let temporary = companion(&database, &format!(".{}.tmp", crate::random::uuid().map_err(unreachable)?));
    let result = fill(&temporary, write).and_then(|()| publish(&temporary, &database));
    for name in std::iter::once(temporary.clone()).chain(COMPANIONS.map(|suffix| companion(&temporary, suffix))) {
        // After success only the second name of the same file is left; after a failure nobody ever opens the rest.
        let _ = fs::remove_file(name);
    }
    result?;
    sync_folder_of(&database).map_err(|error| at(&database, &error))
}

fn fill(temporary: &Path, write: impl FnOnce(&mut Connection) -> Result<(), DatabaseError>) -> Result<(), DatabaseError> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(temporary).map_err(|error| at(temporary, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let mut connection = Connection::open_with_flags(temporary, flags).map_err(unreachable)?;
    write(&mut connection)?;
    connection.close().map_err(|(_, error)| unreachable(error))?;
    fs::File::open(temporary).and_then(|file| file.sync_all()).map_err(|error| at(temporary, &error))
}

/// A link is made only if there is nothing of the name, unlike a rename.
fn publish(temporary: &Path, database: &Path) -> Result<(), DatabaseError> {
    fs::hard_link(temporary, database).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => DatabaseError::Conflict(format!("{} is there already", database.display())),
        _ => at(database, &error),
    })
}

fn resolve(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok(folder.canonicalize()?.join(name))
}

fn companion(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| fs::File::open(folder)?.sync_all())
}

fn at(path: &Path, error: &io::Error) -> DatabaseError {
    unreachable(format_args!("{}: {error}", path.display()))
}

//! Packages as files: a folder or a `.skill` archive, read once and written whole.

use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use skillhall::hall::{Hall, Reference};
use skillhall_core::denial::Code;
use skillhall_core::ledger::EventKind;
use skillhall_core::package::{Package, archive, layout};
use skillhall_core::store;

use crate::error::{CommandError, Outcome};
use crate::hall::now;

/// The largest archive that is read: the largest package and its frames.
const MAX_ARCHIVE: u64 = 128 << 20;

/// Whether the text names a file or folder rather than a skill in a registry. What can be read as a skill's name is one, so
/// that no folder somebody made can take its place; a folder of such a name is meant by `./`.
pub(crate) fn is_path(text: &str) -> bool {
    text.starts_with(['.', '/', '~'])
        || text.ends_with(".skill")
        || text.ends_with(".wasm")
        || (text.parse::<Reference>().is_err() && Path::new(text).exists())
}

/// Reads a package from a folder or an archive.
pub(crate) fn read(path: &Path) -> Outcome<Arc<Package>> {
    let package = if path.is_dir() {
        let dir = Dir::open_ambient_dir(path, ambient_authority()).map_err(|error| unreadable(path, &error))?;
        if !dir.exists("skill.json") && dir.exists("skill.toml") {
            let message = format!("{} is a skill's source, not a package", path.display());
            return Err(CommandError::usage(message, format!("build it first: hall build {}", path.display())));
        }
        layout::read(&dir)
    } else {
        let (dir, name) = parent(path)?;
        let bytes = store::read(&dir, &name, MAX_ARCHIVE).map_err(|error| unreadable(path, &error))?;
        if bytes.starts_with(b"\0asm") {
            let message = format!("{} is a bare WebAssembly file, not a package", path.display());
            return Err(CommandError::usage(message, "write a skill.toml beside it and run `hall build`"));
        }
        archive::read(&bytes)
    };
    package.map(Arc::new).map_err(|error| {
        let denial = error.denial();
        if denial.code == Code::PackageLayout {
            denial.detail("package", path.display().to_string()).into()
        } else {
            CommandError::from(denial)
        }
    })
}

/// Reads a package for a verb of a hall: one that is refused leaves its record.
pub(crate) fn read_in(hall: &Hall, path: &Path) -> Outcome<Arc<Package>> {
    read(path).map_err(|error| match error {
        CommandError::Denial(denial) => {
            let event = hall.event(EventKind::SkillDeny, now()).with("package", path.display().to_string());
            hall.deny(&event, *denial).into()
        }
        other => other,
    })
}

/// Writes a package back to where it was read: into the folder, or as the archive.
pub(crate) fn write(package: &Package, path: &Path) -> Outcome<()> {
    let (dir, name) = parent(path)?;
    let written = if path.extension().is_some_and(|extension| extension == "skill") {
        store::write(&dir, &name, &archive::write(package), 0o644)
    } else {
        layout::write(package, &dir, &name)
    };
    written.map_err(|error| CommandError::Fault(anyhow::Error::new(error).context(format!("writing {}", path.display()))))
}

/// The folder that holds a path, and the path's name in it.
pub(crate) fn parent(path: &Path) -> Outcome<(Dir, String)> {
    let absolute = std::path::absolute(path).map_err(|error| unreadable(path, &error))?;
    let name = absolute.file_name().and_then(|name| name.to_str()).map(str::to_owned);
    let (Some(parent), Some(name)) = (absolute.parent(), name) else {
        return Err(CommandError::usage(format!("{} names no file", path.display()), "give a package's folder or .skill file"));
    };
    let dir = Dir::open_ambient_dir(parent, ambient_authority()).map_err(|error| unreadable(parent, &error))?;
    Ok((dir, name))
}

fn unreadable(path: &Path, error: &std::io::Error) -> CommandError {
    CommandError::usage(format!("{} cannot be read: {error}", path.display()), "give a package's folder or .skill file")
}

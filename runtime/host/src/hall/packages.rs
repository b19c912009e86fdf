//! Installed packages: one folder each, named by manifest hash, never by a name that somebody chose.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use cap_std::fs::{Dir, Metadata, MetadataExt as _};
use rustix::fs::{FlockOperation, Mode, OFlags};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::package::{Package, layout};
use skillhall_core::registry::Published;
use skillhall_core::registry::standing::unknown;

use super::folder::PACKAGES;
use super::{Fault, Hall};

/// How often a package is read that is exchanged while it is read.
const READS: usize = 16;

/// An installed version of a skill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// Which skill in which version.
    pub skill: SkillRef,
    /// Its manifest hash.
    pub manifest_hash: Digest,
}

impl Hall {
    /// Reads an installed package from disk, whole, once.
    ///
    /// # Errors
    /// `DENY_NOT_INSTALLED` if it is not there; the codes of gate 2 if it is no whole package.
    pub(super) fn package(&self, published: &Published) -> Result<Package, Denial> {
        let missing = || {
            Denial::new(Code::NotInstalled, format!("{} is published, but not installed here", published.skill))
                .detail("skill", published.skill.to_string())
                .detail("manifest_hash", published.manifest_hash.to_string())
        };
        let name = published.manifest_hash.to_string();
        let packages = self.folder.dir().open_dir(PACKAGES).map_err(|_| missing())?;
        for _ in 0..READS {
            if packages.symlink_metadata(&name).is_err() {
                return Err(missing());
            }
            let dir = cap_fs_ext::DirExt::open_dir_nofollow(&packages, &name)
                .map_err(|error| Denial::new(Code::PackageLayout, format!("the installed package cannot be opened: {error}")))?;
            let package = layout::read(&dir);
            // Attested anew meanwhile, the folder was exchanged: what was read of the old one may be half of it.
            if stands(&packages, &name, &dir) {
                return package.map_err(|error| error.denial());
            }
        }
        Err(Denial::new(Code::PackageLayout, "the installed package was exchanged again and again while it was read"))
    }

    /// Reads an installed package from disk, to look at it. What runs is read again by [`execute`](Self::execute).
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`, `DENY_SKILL_UNKNOWN`, `DENY_NOT_INSTALLED`, and the codes of gate 2.
    pub fn load(&self, skill: &SkillRef) -> Result<Arc<Package>, Denial> {
        let versions = self.registry()?.versions(&skill.id).map_err(|error| super::registry::unreachable(&error))?;
        let published = versions.into_iter().find(|published| published.skill == *skill);
        let published = published.ok_or_else(|| unknown(&self.registry, &skill.id, Some(&skill.version.to_string())))?;
        self.package(&published).map(Arc::new)
    }

    /// Puts a package into the hall's folder; one that is there already with these bytes stays as it is, so that a call that
    /// is reading it is not disturbed. Installs take turns.
    pub(super) fn keep(&self, package: &Package) -> Result<(), Fault> {
        let packages = self.folder.part(PACKAGES)?;
        let io = |error: io::Error| Fault::io("the folder of installed packages", &error);
        let turn = turn(&packages).map_err(io)?;
        sweep(&packages).map_err(io)?;
        let name = package.manifest_hash().to_string();
        let stands = cap_fs_ext::DirExt::open_dir_nofollow(&packages, &name).ok().and_then(|dir| layout::read(&dir).ok());
        if stands.is_some_and(|stands| stands.files().eq(package.files())) {
            return Ok(());
        }
        let written = layout::write(package, &packages, &name).map_err(io);
        drop(turn);
        written
    }

    /// The installed versions of a skill, oldest first, as the registry and the folder agree.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`.
    pub fn installed(&self, skill: &SkillId) -> Result<Vec<Installed>, Denial> {
        let versions = self.registry()?.versions(skill).map_err(|error| super::registry::unreachable(&error))?;
        let present = |published: &Published| self.folder.dir().is_dir(format!("{PACKAGES}/{}", published.manifest_hash));
        Ok(versions
            .into_iter()
            .filter(present)
            .map(|published| Installed { skill: published.skill, manifest_hash: published.manifest_hash })
            .collect())
    }
}

/// Whether the folder that was opened is the one that has the name. The open handle keeps its number from being given away.
fn stands(packages: &Dir, name: &str, opened: &Dir) -> bool {
    let same = |named: &Metadata, opened: &Metadata| (named.dev(), named.ino()) == (opened.dev(), opened.ino());
    matches!((packages.symlink_metadata(name), opened.dir_metadata()), (Ok(named), Ok(opened)) if same(&named, &opened))
}

/// The right to change the folder of packages, as long as the handle is held: installs and removals take turns, in whatever
/// process they happen.
pub(super) fn turn(packages: &Dir) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let turn = rustix::fs::openat(packages, ".", flags, Mode::empty())?;
    rustix::fs::flock(&turn, FlockOperation::LockExclusive)?;
    Ok(turn)
}

/// Removes what an install or a removal that was interrupted left behind. Only for whoever has the turn.
fn sweep(packages: &Dir) -> io::Result<()> {
    for entry in packages.entries()? {
        let name = entry?.file_name();
        let is_leftover =
            name.to_str().is_some_and(|name| name.starts_with('.') && (name.ends_with(".tmp") || name.ends_with(".gone")));
        if is_leftover {
            packages.remove_dir_all(&name)?;
        }
    }
    Ok(())
}

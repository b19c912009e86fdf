//! Installed packages: one folder each, named by manifest hash, never by a name that somebody chose.

use std::sync::Arc;

use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::id::{SkillId, SkillRef};
use skillhall_core::package::{Package, layout};
use skillhall_core::registry::Published;

use super::folder::PACKAGES;
use super::{Fault, Hall};

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
        if packages.symlink_metadata(&name).is_err() {
            return Err(missing());
        }
        let dir = cap_fs_ext::DirExt::open_dir_nofollow(&packages, &name)
            .map_err(|error| Denial::new(Code::PackageLayout, format!("the installed package cannot be opened: {error}")))?;
        layout::read(&dir).map_err(|error| error.denial())
    }

    /// Reads an installed package from disk, to look at it. What runs is read again by [`execute`](Self::execute).
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`, `DENY_SKILL_UNKNOWN`, `DENY_NOT_INSTALLED`, and the codes of gate 2.
    pub fn load(&self, skill: &SkillRef) -> Result<Arc<Package>, Denial> {
        let versions = self.registry()?.versions(&skill.id).map_err(|error| super::registry::unreachable(&error))?;
        let published = versions.into_iter().find(|published| published.skill == *skill);
        let published = published.ok_or_else(|| {
            Denial::new(Code::SkillUnknown, format!("the registry knows no {skill}")).detail("skill", skill.to_string())
        })?;
        self.package(&published).map(Arc::new)
    }

    /// Puts a package into the hall's folder; one that is there already with these bytes stays as it is.
    pub(super) fn keep(&self, package: &Package) -> Result<(), Fault> {
        let packages = self.folder.part(PACKAGES)?;
        layout::write(package, &packages, &package.manifest_hash().to_string())
            .map_err(|error| Fault::Configuration(format!("the package cannot be written: {error}")))
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

    /// The newest installed version of a skill; if none is installed, the newest published one (which gate 2 then refuses).
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`, or `DENY_SKILL_UNKNOWN` if no version is published.
    pub fn newest(&self, skill: &SkillId) -> Result<SkillRef, Denial> {
        if let Some(installed) =
            self.installed(skill)?.into_iter().max_by(|one, other| one.skill.version.cmp(&other.skill.version))
        {
            return Ok(installed.skill);
        }
        let published = self.registry()?.versions(skill).map_err(|error| super::registry::unreachable(&error))?;
        published.into_iter().map(|published| published.skill).max_by(|one, other| one.version.cmp(&other.version)).ok_or_else(
            || Denial::new(Code::SkillUnknown, format!("the registry knows no skill {skill}")).detail("skill", skill.to_string()),
        )
    }
}

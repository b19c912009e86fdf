//! Published packages as they were published, kept by manifest hash, so that a version can be installed by its name.
//!
//! What is taken from here is trusted for nothing: it goes through every gate like a package that came from elsewhere.

use std::sync::Arc;

use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::package::{Package, archive};
use skillhall_core::registry::Published;
use skillhall_core::registry::standing::unknown;
use skillhall_core::store;

use super::folder::SHELF;
use super::registry::unreachable;
use super::resolve::Reference;
use super::{Fault, Hall};

impl Hall {
    /// Keeps a package that is about to be published. One that is kept already gets the attestations of this one.
    pub(super) fn shelve(&self, package: &Package) -> Result<(), Fault> {
        let io = |error: std::io::Error| Fault::io("the published package", &error);
        store::write(&self.shelf()?, &name(&package.manifest_hash()), &archive::write(package), 0o600).map_err(io)
    }

    /// The shelf; a hall that was made before there were any gets one.
    fn shelf(&self) -> Result<Dir, Fault> {
        let mut builder = DirBuilder::new();
        builder.mode(0o700);
        match self.folder.dir().create_dir_with(SHELF, &builder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(Fault::io(SHELF, &error)),
            _ => self.folder.part(SHELF),
        }
    }

    pub(super) fn is_shelved(&self, published: &Published) -> bool {
        self.folder.dir().is_file(format!("{SHELF}/{}", name(&published.manifest_hash)))
    }

    /// The package of the newest published version that a reference means and whose package is kept here. `None` if the
    /// newest is not kept.
    ///
    /// # Errors
    /// `DENY_SKILL_UNKNOWN` with the nearest names if nothing is meant, `DENY_NOT_INSTALLED` if what is meant was published
    /// without its package, the codes of gate 2 if it is no whole package any more, `DENY_REGISTRY_UNREACHABLE`.
    pub fn kept(&self, reference: &Reference) -> Result<Arc<Package>, Denial> {
        let registry = self.registry()?;
        let published = registry.versions(&reference.skill).map_err(|error| unreachable(&error))?;
        let Some(best) = reference.versions.best(published.iter()) else {
            let versions = reference.to_string();
            return Err(unknown(registry, &reference.skill, versions.split_once('@').map(|(_, versions)| versions)));
        };
        let kept = reference.versions.best(published.iter().filter(|published| self.is_shelved(published)));
        let Some(kept) = kept else {
            let message = format!("{} is published, but its package is not kept in this hall", best.skill);
            return Err(Denial::new(Code::NotInstalled, message)
                .detail("skill", best.skill.to_string())
                .advise("Install it from its folder or .skill file: `hall install PACKAGE`."));
        };
        self.take(kept).map(Arc::new)
    }

    /// The package that is kept for a published version.
    pub(super) fn take(&self, published: &Published) -> Result<Package, Denial> {
        let bytes = self
            .folder
            .part(SHELF)
            .map_err(|fault| fault.to_string())
            .and_then(|shelf| {
                store::read(&shelf, &name(&published.manifest_hash), archive::MAX).map_err(|error| error.to_string())
            })
            .map_err(|error| Denial::new(Code::PackageLayout, format!("the kept package cannot be read: {error}")))?;
        archive::read(&bytes).map_err(|error| error.denial())
    }
}

fn name(manifest: &skillhall_core::digest::Digest) -> String {
    format!("{manifest}.skill")
}

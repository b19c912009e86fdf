//! A hall that leaves nothing behind: for tests. And the private folder that it lies in, for whoever else needs one.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use skillhall_core::govern::config::Env;
use skillhall_core::random;
use skillhall_core::registry::memory::MemoryRegistry;

use super::config::{Part, Parts};
use super::folder::Folder;
use super::setup::{Plan, setup_with};
use super::{Fault, Hall};

/// Where memory is used as a disk; the folder for temporary files, where it is not there.
const MEMORY: &str = "/dev/shm";

/// A private folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Throwaway(PathBuf);

impl Throwaway {
    /// Makes one for this process's account alone.
    pub(crate) fn new() -> Result<Self, Fault> {
        let name = format!("skillhall-{}", random::uuid()?);
        let make = |parent: &Path| {
            let path = parent.join(&name);
            DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path))
        };
        make(Path::new(MEMORY))
            .or_else(|_| make(&std::env::temp_dir()))
            .map_err(|error| Fault::io("a private folder that is thrown away", &error))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Throwaway {
    fn drop(&mut self) {
        // What cannot be removed stays in the folder for temporary files; nothing can be done about it here.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a hall for its maker alone and opens it; gives the registry with which it was made, too.
pub(super) fn open(namespaces: &[String], mut parts: Parts) -> Result<(Hall, Arc<MemoryRegistry>), Fault> {
    let parse = |error: &dyn std::fmt::Display| Fault::Configuration(error.to_string());
    let plan = Plan {
        organisation: "local".parse().map_err(|error| parse(&error))?,
        owner: "you".to_owned(),
        env: Env::Dev,
        namespaces: namespaces.iter().map(|name| name.parse().map_err(|error| parse(&error))).collect::<Result<_, _>>()?,
        attest_env_namespace: None,
    };
    let throwaway = Throwaway::new()?;
    let path = throwaway.0.join("hall");
    let registry = Arc::new(MemoryRegistry::new());
    setup_with(&path, &plan, &*parts.clock, &*registry)?;
    if let Part::Absent = parts.registry {
        parts.registry = Part::Own(registry.clone());
    }
    let mut hall = Hall::in_folder(Folder::open(&path)?, parts)?;
    hall.throwaway = Some(throwaway);
    Ok((hall, registry))
}

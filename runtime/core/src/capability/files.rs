//! Folders of the host that a guest sees under a path of its own.

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// One folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// The guest's path, such as `/in`. Which folder of the host that is, the policy says.
    pub mount: String,
    /// What the guest does there.
    pub access: Access,
}

/// What a guest may do with a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Read only.
    Read,
    /// Read and write.
    Write,
}

/// Where the package's own assets are mounted, read only.
pub const ASSETS: &str = "/assets";

const RULE: &str =
    "a mount is an absolute path such as /in: at most 8 names of A-Z, a-z, 0-9, '.', '_' and '-', none of them '.' or '..'";

/// What a host's policy gives one skill: a folder of its own under one of the skill's mounts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The guest's path, as the skill asks for it.
    pub mount: String,
    /// The host's folder: an absolute path.
    pub folder: String,
    /// The most that the skill may do there.
    pub access: Access,
}

impl Ask {
    /// Whether it is for the package's own assets: data that was hashed and certified with the package, so nothing that a host
    /// would have to grant.
    #[must_use]
    pub fn is_of_the_package(&self) -> bool {
        self.mount == ASSETS
    }
}

impl Access {
    /// The word in skill.toml and hall.toml.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl Meet for Ask {
    type Grant = Grant;

    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        match grants.iter().find(|grant| grant.mount == self.mount) {
            Some(grant) if grant.access == Access::Write || self.access == Access::Read => {
                Ok(Grant { access: self.access, ..grant.clone() })
            }
            Some(_) => Err(Unmet::Narrower(format!("{} to be read only", self.mount))),
            None => Err(Unmet::Nothing),
        }
    }

    fn flag(&self) -> String {
        let write = if self.access == Access::Write { ":write" } else { "" };
        format!("--files {}=FOLDER{write}", self.mount)
    }
}

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "files";

    fn validate(&self) -> Result<(), AskError> {
        let names = validate_mount(&self.mount)?;
        if names.first() == Some(&"assets") && (self.mount != ASSETS || self.access == Access::Write) {
            return Err(AskError::new(format!("{ASSETS} is where the package's own assets are, and they can only be read")));
        }
        Ok(())
    }

    /// A mount inside another one would be one thing under two rights.
    fn overlaps(&self, other: &Self) -> bool {
        nested(&self.mount, &other.mount)
    }

    fn line(&self) -> String {
        format!("{} ({})", self.mount, self.access.as_str())
    }
}

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "files";

    fn validate(&self) -> Result<(), AskError> {
        if validate_mount(&self.mount)?.first() == Some(&"assets") {
            return Err(AskError::new(format!("{ASSETS} is where the package's own assets are; no folder of the host is")));
        }
        if !is_path(&self.folder) {
            return Err(AskError::new(format!(
                "'{}' is no folder to grant: an absolute path below /, without '.', '..', '//', a '/' at its end or control characters",
                self.folder.escape_default()
            )));
        }
        Ok(())
    }

    /// Nor can one folder of the host be under two rights.
    fn overlaps(&self, other: &Self) -> bool {
        nested(&self.mount, &other.mount) || (self.access != other.access && nested(&self.folder, &other.folder))
    }

    fn line(&self) -> String {
        format!("{} ({}) is {}", self.mount, self.access.as_str(), self.folder)
    }
}

/// The longest path of the host (Linux, `PATH_MAX`).
const MAX_PATH_BYTES: usize = 4096;

/// Whether a text is a path of the host below `/`, in the one spelling in which it can be granted.
pub(super) fn is_path(path: &str) -> bool {
    let names: Vec<&str> = path.strip_prefix('/').map(|rest| rest.split('/').collect()).unwrap_or_default();
    let plain = |name: &&str| !matches!(*name, "" | "." | "..") && !name.chars().any(char::is_control);
    !names.is_empty() && path.len() <= MAX_PATH_BYTES && names.iter().all(plain)
}

fn validate_mount(mount: &str) -> Result<Vec<&str>, AskError> {
    let names: Vec<&str> = mount.strip_prefix('/').map(|rest| rest.split('/').collect()).unwrap_or_default();
    if !(1..=8).contains(&names.len()) || !names.iter().all(|name| is_name(name)) {
        return Err(AskError::new(format!("'{}': {RULE}", mount.escape_default())));
    }
    Ok(names)
}

/// Whether one path is the other or lies in it.
fn nested(one: &str, other: &str) -> bool {
    let inside =
        |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    inside(one, other) || inside(other, one)
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

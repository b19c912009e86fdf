//! Folders of the host that a guest sees under a path of its own.

use serde::{Deserialize, Serialize};

use super::AskError;

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

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "files";

    fn validate(&self) -> Result<(), AskError> {
        let names: Vec<&str> = self.mount.strip_prefix('/').map(|rest| rest.split('/').collect()).unwrap_or_default();
        if !(1..=8).contains(&names.len()) || !names.iter().all(|name| is_name(name)) {
            return Err(AskError::new(format!("'{}': {RULE}", self.mount.escape_default())));
        }
        if names.first() == Some(&"assets") && (self.mount != ASSETS || self.access == Access::Write) {
            return Err(AskError::new(format!("{ASSETS} is where the package's own assets are, and they can only be read")));
        }
        Ok(())
    }

    /// A mount inside another one would be one thing under two rights.
    fn overlaps(&self, other: &Self) -> bool {
        let inside =
            |inner: &str, outer: &str| inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        inside(&self.mount, &other.mount) || inside(&other.mount, &self.mount)
    }

    fn line(&self) -> String {
        let access = match self.access {
            Access::Read => "read",
            Access::Write => "write",
        };
        format!("{} ({access})", self.mount)
    }
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

//! Stores that the host keeps for a skill, one namespace for each organisation and skill.

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// The name of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub String);

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "keyvalue";

    fn validate(&self) -> Result<(), AskError> {
        validate_name(&self.0)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self == other
    }

    fn line(&self) -> String {
        self.0.clone()
    }
}

/// What a host's policy gives one skill: a store, and how much each organisation's may hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The store's name.
    pub store: String,
    /// The most bytes of all its keys and values together.
    #[serde(default = "default_bytes")]
    pub bytes: u64,
    /// The most entries.
    #[serde(default = "default_entries")]
    pub entries: u64,
}

/// How many bytes a store may hold where nothing else is said: 1 MiB.
pub const DEFAULT_BYTES: u64 = 1 << 20;
/// How many entries a store may have where nothing else is said.
pub const DEFAULT_ENTRIES: u64 = 1_000;
/// The most bytes that a host can grant to one store: 1 GiB.
pub const MAX_BYTES: u64 = 1 << 30;
/// The most entries that a host can grant to one store.
pub const MAX_STORE_ENTRIES: u64 = 1_000_000;

fn default_bytes() -> u64 {
    DEFAULT_BYTES
}

fn default_entries() -> u64 {
    DEFAULT_ENTRIES
}

impl Grant {
    /// A store of the usual size.
    #[must_use]
    pub fn usual(store: &str) -> Self {
        Self { store: store.to_owned(), bytes: DEFAULT_BYTES, entries: DEFAULT_ENTRIES }
    }
}

impl Meet for Ask {
    type Grant = Grant;

    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        grants.iter().find(|grant| grant.store == self.0).cloned().ok_or(Unmet::Nothing)
    }

    fn flag(&self) -> String {
        format!("--keyvalue {}", self.0)
    }
}

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "keyvalue";

    fn validate(&self) -> Result<(), AskError> {
        validate_name(&self.store)?;
        let within = (1..=MAX_BYTES).contains(&self.bytes) && (1..=MAX_STORE_ENTRIES).contains(&self.entries);
        if within {
            return Ok(());
        }
        let rule = format!("1 to {MAX_BYTES} bytes in 1 to {MAX_STORE_ENTRIES} entries");
        Err(AskError::new(format!("the store {}: it may be granted {rule}", self.store)))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.store == other.store
    }

    fn line(&self) -> String {
        format!("{} ({} bytes, {} entries)", self.store, self.bytes, self.entries)
    }
}

fn validate_name(name: &str) -> Result<(), AskError> {
    let sound = (1..=63).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        && !name.starts_with('-');
    if sound {
        return Ok(());
    }
    Err(AskError::new(format!("'{}' is no name of a store: 1 to 63 of a-z, 0-9 and '-'", name.escape_default())))
}

//! Environment variables that the policy sets, never the host's own.

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// The name of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub String);

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "env";

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

/// What a host's policy gives one skill: a variable and its value, whatever the host's own environment says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The variable's name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// The longest value, in bytes.
const MAX_VALUE_BYTES: usize = 4096;

impl Meet for Ask {
    type Grant = Grant;

    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        grants.iter().find(|grant| grant.name == self.0).cloned().ok_or(Unmet::Nothing)
    }

    fn flag(&self) -> String {
        format!("--env {}=VALUE", self.0)
    }
}

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "env";

    fn validate(&self) -> Result<(), AskError> {
        validate_name(&self.name)?;
        if self.value.len() > MAX_VALUE_BYTES || self.value.contains('\0') {
            let rule = format!("at most {MAX_VALUE_BYTES} bytes, none of them zero");
            return Err(AskError::new(format!("the value of the variable {}: {rule}", self.name)));
        }
        Ok(())
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.name == other.name
    }

    fn line(&self) -> String {
        self.name.clone()
    }
}

/// Holds a text to the form of a variable's name (POSIX.1-2024, XBD 3.216).
///
/// # Errors
/// If it has another form or more than 128 bytes.
pub(super) fn validate_name(name: &str) -> Result<(), AskError> {
    let sound = (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if sound {
        return Ok(());
    }
    Err(AskError::new(format!(
        "'{}' is no name of a variable: letters, digits and '_', not beginning with a digit",
        name.escape_default()
    )))
}

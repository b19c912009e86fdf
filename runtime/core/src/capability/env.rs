//! Environment variables that the policy sets, never the host's own.

use serde::{Deserialize, Serialize};

use super::AskError;

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

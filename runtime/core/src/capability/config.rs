//! Configuration values that the policy sets.

use serde::{Deserialize, Serialize};

use super::AskError;

/// The name of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub String);

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "config";

    fn validate(&self) -> Result<(), AskError> {
        let name = &self.0;
        let sound = (1..=128).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && name.starts_with(|first: char| first.is_ascii_alphanumeric());
        if sound {
            return Ok(());
        }
        Err(AskError::new(format!("'{}' is no name of a value: letters, digits, '.', '_' and '-'", name.escape_default())))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self == other
    }

    fn line(&self) -> String {
        self.0.clone()
    }
}

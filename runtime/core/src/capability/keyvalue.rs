//! Stores that the host keeps for a skill, one namespace for each organisation and skill.

use serde::{Deserialize, Serialize};

use super::AskError;

/// The name of a store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub String);

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "keyvalue";

    fn validate(&self) -> Result<(), AskError> {
        let name = &self.0;
        let sound = (1..=63).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !name.starts_with('-');
        if sound {
            return Ok(());
        }
        Err(AskError::new(format!("'{}' is no name of a store: 1 to 63 of a-z, 0-9 and '-'", name.escape_default())))
    }

    fn overlaps(&self, other: &Self) -> bool {
        self == other
    }

    fn line(&self) -> String {
        self.0.clone()
    }
}

//! Configuration values that the policy sets.

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// The name of a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub String);

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "config";

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

/// What a host's policy gives one skill: a value under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The value's name.
    pub name: String,
    /// The value.
    pub value: Value,
}

/// A configuration value. A guest gets it as text, as `wasi:config` has it: `true`, `-7`, or the text itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 64 bits.
    Integer(i64),
    /// A text.
    Text(String),
}

/// The longest text, in bytes.
const MAX_VALUE_BYTES: usize = 16 * 1024;

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
        }
    }
}

impl Meet for Ask {
    type Grant = Grant;

    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        grants.iter().find(|grant| grant.name == self.0).cloned().ok_or(Unmet::Nothing)
    }

    fn flag(&self) -> String {
        format!("--config {}=VALUE", self.0)
    }
}

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "config";

    fn validate(&self) -> Result<(), AskError> {
        validate_name(&self.name)?;
        match &self.value {
            Value::Text(text) if text.len() > MAX_VALUE_BYTES => {
                Err(AskError::new(format!("the configuration value {} has more than {MAX_VALUE_BYTES} bytes", self.name)))
            }
            Value::Bool(_) | Value::Integer(_) | Value::Text(_) => Ok(()),
        }
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.name == other.name
    }

    fn line(&self) -> String {
        self.name.clone()
    }
}

fn validate_name(name: &str) -> Result<(), AskError> {
    let sound = (1..=128).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        && name.starts_with(|first: char| first.is_ascii_alphanumeric());
    if sound {
        return Ok(());
    }
    Err(AskError::new(format!("'{}' is no name of a value: letters, digits, '.', '_' and '-'", name.escape_default())))
}

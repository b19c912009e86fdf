//! The powers a skill can ask for, and what the host's policy makes of the asking.
//!
//! Each power has one file of the same shape: an `Ask` (one entry of what a manifest declares) with its `validate`.
//! [`Asks`] is the closed table of them all, as it stands in skill.toml and skill.json; [`imports()`] says which power an
//! imported interface belongs to; [`narrow()`] makes [`Grants`] of asks and policy.
//!
//! An `Ask` cannot be read from a file without being valid: reading goes through `validate`.

pub mod clocks;
pub mod config;
mod declared;
pub mod difference;
pub mod env;
pub mod files;
pub mod http;
mod import;
pub mod keyvalue;
mod list;
mod narrow;
pub mod secrets;
pub mod sockets;
pub mod tools;

use serde::{Deserialize, Serialize};

pub use declared::Declared;
pub use import::{ImportClass, PowerClass, imports};
pub use list::{Ask, Asked, MAX_ENTRIES};
pub use narrow::{Grants, Holder, Link, Policy, narrow};

/// A text that asks for something no host could grant as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct AskError(String);

impl AskError {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

/// Everything a manifest asks for. What is absent is not asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asks {
    /// Folders that the guest sees, or `"empty"`.
    #[serde(default, skip_serializing_if = "Asked::is_none")]
    pub files: Asked<files::Ask>,
    /// Origins that it sends requests to, or `"empty"`.
    #[serde(default, skip_serializing_if = "Asked::is_none")]
    pub http: Asked<http::Ask>,
    /// Addresses that it opens sockets to, or `"empty"`.
    #[serde(default, skip_serializing_if = "Asked::is_none")]
    pub sockets: Asked<sockets::Ask>,
    /// Environment variables by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub env: Vec<env::Ask>,
    /// Secrets that the host puts into matching requests.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub secrets: Vec<secrets::Ask>,
    /// Stores by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub keyvalue: Vec<keyvalue::Ask>,
    /// Configuration values by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub config: Vec<config::Ask>,
    /// How fine the clocks are; absent is coarse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clocks: Option<clocks::Ask>,
    /// Other skills it may call.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "list::deserialize")]
    pub tools: Vec<tools::Ask>,
}

impl Asks {
    /// Whether an import of this class is declared, be it as `"empty"`.
    #[must_use]
    pub fn covers(&self, class: PowerClass) -> bool {
        match class {
            PowerClass::Files => !self.files.is_none(),
            PowerClass::Http => !self.http.is_none(),
            PowerClass::Sockets => !self.sockets.is_none(),
            // What is only put into requests needs no import.
            PowerClass::Secrets => self.secrets.iter().any(|ask| ask.reveal),
            PowerClass::Keyvalue => !self.keyvalue.is_empty(),
            PowerClass::Config => !self.config.is_empty(),
            PowerClass::Tools => !self.tools.is_empty(),
        }
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Each ask as one line for people, such as `files: /in (read)` or `http: empty`.
    #[must_use]
    pub fn list(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.empty().into_iter().map(|class| format!("{}: empty", class.as_str())).collect();
        lines.extend(self.real().into_iter().map(|(capability, ask)| format!("{capability}: {ask}")));
        if self.clocks == Some(clocks::Ask::Coarse) {
            lines.push("clocks: coarse".to_owned());
        }
        lines.sort();
        lines
    }

    /// Holds the asks against each other; each by itself was held to its rules when it was read.
    ///
    /// # Errors
    /// If an ask breaks its own rules, or a secret is for an origin that `http` does not ask for.
    pub fn validate(&self) -> Result<(), AskError> {
        self.files.validate()?;
        self.http.validate()?;
        self.sockets.validate()?;
        list::validate(&self.env)?;
        list::validate(&self.secrets)?;
        list::validate(&self.keyvalue)?;
        list::validate(&self.config)?;
        list::validate(&self.tools)?;
        for secret in &self.secrets {
            if !self.http.entries().iter().any(|ask| ask.origin == secret.origin) {
                return Err(AskError::new(format!(
                    "the secret {} is for {}, which http does not ask for",
                    secret.name,
                    secret.origin.escape_default()
                )));
            }
        }
        Ok(())
    }

    /// The powers that are asked for as `"empty"`.
    fn empty(&self) -> Vec<PowerClass> {
        [
            (PowerClass::Files, self.files == Asked::Empty),
            (PowerClass::Http, self.http == Asked::Empty),
            (PowerClass::Sockets, self.sockets == Asked::Empty),
        ]
        .into_iter()
        .filter_map(|(class, empty)| empty.then_some(class))
        .collect()
    }

    /// Everything that reaches beyond the bounded base: the capability's name and the ask as a line.
    fn real(&self) -> Vec<(&'static str, String)> {
        fn each<T: Ask>(asks: &[T]) -> impl Iterator<Item = (&'static str, String)> {
            asks.iter().map(|ask| (T::CAPABILITY, ask.line()))
        }
        each(self.files.entries())
            .chain(each(self.http.entries()))
            .chain(each(self.sockets.entries()))
            .chain(each(&self.env))
            .chain(each(&self.secrets))
            .chain(each(&self.keyvalue))
            .chain(each(&self.config))
            .chain(each(self.clocks.as_slice()).filter(|_| self.clocks == Some(clocks::Ask::Precise)))
            .chain(each(&self.tools))
            .collect()
    }
}

#[cfg(test)]
mod tests;

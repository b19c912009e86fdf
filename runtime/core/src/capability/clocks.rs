//! How fine the clocks are that a guest sees.

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// The resolution of the wall clock and the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ask {
    /// One millisecond: what everybody has.
    Coarse,
    /// As fine as the host's own; a means to measure what other processes do.
    Precise,
}

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "clocks";

    fn validate(&self) -> Result<(), AskError> {
        // Both words are sound.
        Ok(())
    }

    /// There is one answer to how fine they are.
    fn overlaps(&self, _: &Self) -> bool {
        true
    }

    fn line(&self) -> String {
        match self {
            Self::Coarse => "coarse".to_owned(),
            Self::Precise => "precise".to_owned(),
        }
    }
}

impl Meet for Ask {
    type Grant = Self;

    /// Coarse clocks are everybody's.
    fn narrow(&self, policy: &[Self]) -> Result<Self, Unmet> {
        if *self == Self::Coarse || policy.contains(&Self::Precise) { Ok(*self) } else { Err(Unmet::Nothing) }
    }

    fn flag(&self) -> String {
        format!("--clocks {}", super::Ask::line(self))
    }
}

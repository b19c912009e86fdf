//! Other skills that a skill may call, each call through the whole gate.

use semver::VersionReq;
use serde::{Deserialize, Deserializer, Serialize};

use super::AskError;
use crate::id::SkillId;

/// One skill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Which skill.
    pub skill: SkillId,
    /// Which versions of it, such as `^1.2`.
    #[serde(deserialize_with = "requirement")]
    pub version: VersionReq,
}

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "tools";

    fn validate(&self) -> Result<(), AskError> {
        // Both members are valid by their types.
        Ok(())
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.skill == other.skill
    }

    fn line(&self) -> String {
        format!("{} {}", self.skill, self.version)
    }
}

fn requirement<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VersionReq, D::Error> {
    let text = String::deserialize(deserializer)?;
    let requirement = if text.len() <= 128 { VersionReq::parse(&text).ok() } else { None };
    requirement.ok_or_else(|| serde::de::Error::custom("a version requirement such as \"^1.2\", at most 128 bytes"))
}

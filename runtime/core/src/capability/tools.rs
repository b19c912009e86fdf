//! Other skills that a skill may call, each call through the whole gate.

use semver::{Version, VersionReq};
use serde::{Deserialize, Deserializer, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};
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

/// What a host's policy gives one skill: another one that it may call, and in which versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Which skill.
    pub skill: SkillId,
    /// Which versions of it; every one, if it is not said.
    #[serde(default, deserialize_with = "requirement", skip_serializing_if = "every")]
    pub version: VersionReq,
    /// What the caller's manifest asks for, once the two were held against each other. Two ranges cannot be made one without
    /// letting pre-releases in that one of them keeps out, so both are kept.
    #[serde(skip)]
    asked: Option<VersionReq>,
}

impl Grant {
    /// A skill in some of its versions.
    #[must_use]
    pub fn new(skill: SkillId, version: VersionReq) -> Self {
        Self { skill, version, asked: None }
    }

    /// Whether this version may be called: the policy names it, and so does what was asked for.
    #[must_use]
    pub fn means(&self, version: &Version) -> bool {
        self.version.matches(version) && self.asked.as_ref().is_none_or(|asked| asked.matches(version))
    }

    /// The versions as a text for people, such as `^1.2` or `^1.2 within ^1`.
    #[must_use]
    pub fn versions(&self) -> String {
        match &self.asked {
            Some(asked) if *asked == self.version || every(&self.version) => asked.to_string(),
            Some(asked) => format!("{asked} within {}", self.version),
            None => self.version.to_string(),
        }
    }
}

impl Meet for Ask {
    type Grant = Grant;

    /// Which versions there are is seen at the call; it then has to be in both ranges.
    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        let grant = grants.iter().find(|grant| grant.skill == self.skill).ok_or(Unmet::Nothing)?;
        Ok(Grant { asked: Some(self.version.clone()), ..grant.clone() })
    }

    fn flag(&self) -> String {
        let version = self.version.to_string();
        let plain = version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".^~-+".contains(&byte));
        match (every(&self.version), plain) {
            (true, _) => format!("--tool {}", self.skill),
            (false, true) => format!("--tool {}@{version}", self.skill),
            // What is left of the notation (`>=1, <2`) holds no quote.
            (false, false) => format!("--tool '{}@{version}'", self.skill),
        }
    }
}

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "tools";

    fn validate(&self) -> Result<(), AskError> {
        // All members are valid by their types.
        Ok(())
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.skill == other.skill
    }

    fn line(&self) -> String {
        format!("{} {}", self.skill, self.versions())
    }
}

fn every(version: &VersionReq) -> bool {
    version.comparators.is_empty()
}

/// Reads a range of versions in Cargo's notation.
///
/// # Errors
/// If the text is none, or has more than 128 bytes.
pub fn parse_versions(text: &str) -> Result<VersionReq, AskError> {
    let requirement = if text.len() <= 128 { VersionReq::parse(text).ok() } else { None };
    requirement.ok_or_else(|| AskError::new("a version requirement such as \"^1.2\", at most 128 bytes"))
}

fn requirement<'de, D: Deserializer<'de>>(deserializer: D) -> Result<VersionReq, D::Error> {
    parse_versions(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

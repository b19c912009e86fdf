//! What a caller names: a skill, a version of it, or a range of versions; and the exact version that it means here.

use std::fmt;
use std::str::FromStr;

use semver::{Version, VersionReq};
use serde::Serialize;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::id::{IdError, SkillId, SkillRef, parse_version};
use skillhall_core::registry::Published;
use skillhall_core::registry::standing::unknown;

use super::Hall;
use super::registry::unreachable;

/// The longest range of versions, in bytes.
const MAX_RANGE: usize = 64;

/// A name for a skill: `org.acme/redact`, `org.acme/redact@1.2.0` or `org.acme/redact@^1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Which skill.
    pub skill: SkillId,
    /// Which of its versions.
    pub versions: Versions,
}

/// Which versions a reference means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// The newest.
    Newest,
    /// This one.
    Exact(Version),
    /// The newest in a range (Cargo's notation, which is that of the `semver` crate).
    Range(VersionReq),
}

/// A text that names no skill.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// The skill's name is none.
    #[error(transparent)]
    Skill(#[from] IdError),
    /// What stands behind the `@` is neither a version nor a range.
    #[error("'{0}' is neither a version such as 1.2.0 nor a range such as ^1")]
    Versions(String),
}

impl FromStr for Reference {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let Some((skill, versions)) = text.split_once('@') else {
            return Ok(Self { skill: text.parse()?, versions: Versions::Newest });
        };
        let skill = skill.parse()?;
        if let Some(version) = parse_version(versions) {
            return Ok(Self { skill, versions: Versions::Exact(version) });
        }
        let range = (versions.len() <= MAX_RANGE).then(|| VersionReq::parse(versions).ok()).flatten();
        let shown = || ReferenceError::Versions(versions.chars().take(MAX_RANGE).flat_map(char::escape_default).collect());
        Ok(Self { skill, versions: Versions::Range(range.ok_or_else(shown)?) })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.versions {
            Versions::Newest => write!(f, "{}", self.skill),
            Versions::Exact(version) => write!(f, "{}@{version}", self.skill),
            Versions::Range(range) => write!(f, "{}@{range}", self.skill),
        }
    }
}

impl Versions {
    /// Whether a version is meant. Without a range every version is.
    #[must_use]
    pub fn mean(&self, version: &Version) -> bool {
        match self {
            Self::Newest => true,
            Self::Exact(exact) => exact == version,
            Self::Range(range) => range.matches(version),
        }
    }

    /// The best of some versions: the newest release that is meant; a pre-release only if nothing else is meant.
    pub(super) fn best<'a>(&self, of: impl Iterator<Item = &'a Published>) -> Option<&'a Published> {
        of.filter(|published| self.mean(&published.skill.version)).max_by(|one, other| {
            let rank = |published: &Published| published.skill.version.pre.is_empty();
            rank(one).cmp(&rank(other)).then_with(|| one.skill.version.cmp(&other.skill.version))
        })
    }
}

/// The exact version that a reference means here and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Resolved {
    /// What was named.
    pub requested: String,
    /// The version.
    pub skill: SkillRef,
    /// Its manifest hash.
    pub manifest_hash: Digest,
    /// Whether it is installed here.
    pub installed: bool,
}

impl Hall {
    /// The exact version that a reference means: of the installed versions the newest that is meant, releases before
    /// pre-releases; if none of them is meant and no range was named, the newest published one (which is then refused as
    /// not installed).
    ///
    /// # Errors
    /// `DENY_SKILL_UNKNOWN` if no such skill or version is published, with the nearest names; `DENY_NOT_INSTALLED` if only
    /// versions that are not installed are in the range; `DENY_REGISTRY_UNREACHABLE`.
    pub fn resolve(&self, reference: &Reference) -> Result<Resolved, Denial> {
        let registry = self.registry()?;
        let published = registry.versions(&reference.skill).map_err(|error| unreachable(&error))?;
        let resolved = |published: &Published, installed| Resolved {
            requested: reference.to_string(),
            skill: published.skill.clone(),
            manifest_hash: published.manifest_hash,
            installed,
        };
        if let Some(best) = reference.versions.best(published.iter().filter(|published| self.is_present(published))) {
            return Ok(resolved(best, true));
        }
        let best = reference.versions.best(published.iter());
        match (best, &reference.versions) {
            (Some(best), Versions::Newest | Versions::Exact(_)) => Ok(resolved(best, false)),
            (Some(best), Versions::Range(range)) => {
                let message =
                    format!("no installed version of {} is in the range {range}; published is {}", reference.skill, best.skill);
                Err(Denial::new(Code::NotInstalled, message)
                    .detail("skill", best.skill.to_string())
                    .detail("requested", reference.to_string())
                    .advise(format!("Install it: `hall install {}`.", best.skill)))
            }
            (None, Versions::Newest) => Err(unknown(registry, &reference.skill, None)),
            (None, Versions::Exact(version)) => Err(unknown(registry, &reference.skill, Some(&version.to_string()))),
            (None, Versions::Range(range)) => Err(unknown(registry, &reference.skill, Some(&range.to_string()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(text: &str) -> Result<Reference, ReferenceError> {
        text.parse()
    }

    #[test]
    fn references_are_read_and_shown_again() {
        for text in ["org.acme/redact", "org.acme/redact@1.2.0", "org.acme/redact@^1", "org.acme/redact@>=1.2, <2"] {
            assert_eq!(reference(text).map(|reference| reference.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(reference("org.acme/redact@1").map(|reference| reference.to_string()), Ok("org.acme/redact@^1".into()));
        for text in ["", "redact", "org.acme/", "org.acme/redact@", "org.acme/redact@latest", "acme/redact@1", "org.acme/a/b"] {
            assert!(reference(text).is_err(), "{text}");
        }
        let long = format!("org.acme/redact@{}", "1".repeat(200));
        assert!(reference(&long).is_err_and(|error| error.to_string().len() < 200));
    }

    #[test]
    fn ranges_mean_what_they_say() {
        let means = |range: &str, version: &str| {
            let reference = reference(&format!("org.acme/redact@{range}")).expect("a reference");
            reference.versions.mean(&Version::parse(version).expect("a version"))
        };
        assert!(means("^1", "1.9.0") && !means("^1", "2.0.0") && !means("^1", "1.0.0-dev.1"));
        assert!(means("~1.2", "1.2.9") && !means("~1.2", "1.3.0"));
        assert!(means("1.2.0", "1.2.0") && !means("1.2.0", "1.2.1"), "a whole version is that version alone");
        assert!(means("*", "0.0.1"));
    }
}

//! The versions of development builds. A version never changes, and an author's source does all the time: so each state of
//! it that is run gets a pre-release of its own, `1.0.0-dev.7.h0a1b2c3d4e5f`, of a running number and the first twelve digits
//! of the manifest hash that the package has under its own version.

use semver::{Prerelease, Version};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::id::parse_version;
use skillhall_core::package::Package;

use super::Hall;
use super::registry::unreachable;

/// The digits of the manifest hash in a version.
const DIGITS: usize = 12;

impl Hall {
    /// The version under which this state of a skill's source is published here: the one it has had already, else the next.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`; `DENY_VERSION_IMMUTABLE` if the version of skill.toml is so long that no development
    /// build of it has a name.
    pub fn development_version(&self, package: &Package) -> Result<Version, Denial> {
        let manifest = package.manifest();
        let hash = package.manifest_hash().to_string();
        let mark = format!("h{}", hash.get(..DIGITS).unwrap_or_default());
        let published = self.registry()?.versions(&manifest.id()).map_err(|error| unreachable(&error))?;
        let builds: Vec<(u64, Version)> = published
            .into_iter()
            .filter_map(|published| Some((number(&published.skill.version, &manifest.version)?, published.skill.version)))
            .collect();
        if let Some((_, version)) = builds.iter().find(|(_, version)| version.pre.rsplit('.').next() == Some(mark.as_str())) {
            return Ok(version.clone());
        }
        let next = builds.iter().map(|(number, _)| *number).max().unwrap_or_default().saturating_add(1);
        version(&manifest.version, next, &mark).ok_or_else(|| {
            let message = format!("the version {} is too long to have development builds", manifest.version);
            Denial::new(Code::VersionImmutable, message).advise("Shorten `version` in skill.toml.")
        })
    }
}

/// The version of a build; `None` if it is longer than a version may be.
fn version(base: &Version, number: u64, mark: &str) -> Option<Version> {
    let (begin, dot) = (base.pre.as_str(), if base.pre.is_empty() { "" } else { "." });
    let pre = Prerelease::new(&format!("{begin}{dot}dev.{number}.{mark}")).ok()?;
    let version = Version { pre, build: semver::BuildMetadata::EMPTY, ..base.clone() };
    parse_version(&version.to_string())
}

/// The running number of a development build of a base version.
fn number(version: &Version, base: &Version) -> Option<u64> {
    if (version.major, version.minor, version.patch) != (base.major, base.minor, base.patch) {
        return None;
    }
    let rest = version.pre.strip_prefix(base.pre.as_str())?;
    let rest = if base.pre.is_empty() { rest } else { rest.strip_prefix('.')? };
    let (number, mark) = rest.strip_prefix("dev.")?.split_once('.')?;
    (is_mark(mark)).then(|| number.parse().ok()).flatten()
}

fn is_mark(text: &str) -> bool {
    text.strip_prefix('h').is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a version is that of a development build.
#[must_use]
pub fn is_development(version: &Version) -> bool {
    let mut parts = version.pre.rsplit('.');
    parts.next().is_some_and(is_mark)
        && parts.next().is_some_and(|number| number.parse::<u64>().is_ok())
        && parts.next() == Some("dev")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Version {
        Version::parse(text).expect("a version")
    }

    #[test]
    fn builds_are_named_and_known_again() {
        for base in ["1.0.0", "1.0.0-rc.1", "1.0.0+local"] {
            let base = read(base);
            let build = version(&base, 7, "h012345678901").expect("a version");
            assert!(is_development(&build) && !is_development(&base));
            assert_eq!(number(&build, &base), Some(7));
            assert!(build < read("1.0.0"), "a build comes before its release");
        }
        assert_eq!(version(&read("1.0.0"), 7, "h012345678901").expect("a version").to_string(), "1.0.0-dev.7.h012345678901");
    }

    #[test]
    fn other_versions_are_no_builds() {
        let build = read("1.0.0-dev.7.h012345678901");
        for base in ["1.0.1", "1.0.0-rc.1", "1.0.0-d"] {
            assert_eq!(number(&build, &read(base)), None, "{base}");
        }
        for other in ["1.0.0-dev.7", "1.0.0-dev.x.h012345678901", "1.0.0-dev.7.h01234567890", "1.0.0-7.h012345678901"] {
            assert!(!is_development(&read(other)) && number(&read(other), &read("1.0.0")).is_none(), "{other}");
        }
    }

    #[test]
    fn later_builds_are_newer_whatever_their_hash() {
        let base = read("1.0.0");
        let ninth = version(&base, 9, "hffffffffffff").expect("a version");
        let tenth = version(&base, 10, "h000000000000").expect("a version");
        assert!(ninth < tenth);
    }

    #[test]
    fn a_version_that_is_too_long_has_no_builds() {
        assert_eq!(version(&read(&format!("1.0.0-{}", "a".repeat(50))), 1, "h012345678901"), None);
    }
}

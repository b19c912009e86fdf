//! What a version of a skill asks for beyond another one: what a person is shown before it takes the other's place.
//!
//! Pure: two sets of asks and two manifest hashes give the difference, and its digest names exactly that difference.

use serde::{Deserialize, Serialize};

use super::list::Ask as _;
use super::{Asks, clocks, files, http, secrets};
use crate::digest::Digest;
use crate::json::{CanonicalError, canonical};

/// One side of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Side {
    /// The manifest hash of the version.
    pub manifest: Digest,
    /// What it asks for.
    pub powers: Asks,
}

/// What changes in powers when one version takes the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The version that is there.
    pub old: Side,
    /// The version that takes its place.
    pub new: Side,
    /// What the new version asks for and the old one did not, each as a line; what is narrower than before is not among them.
    pub added: Vec<String>,
    /// What the old version asked for and the new one does not ask for in that width, each as a line.
    pub removed: Vec<String>,
}

#[derive(Serialize)]
struct Canonical<'a> {
    schema: &'static str,
    old: &'a Side,
    new: &'a Side,
}

const SCHEMA: &str = "skillhall.powers.v1";

impl Difference {
    /// Holds two versions against each other.
    #[must_use]
    pub fn between(old: Side, new: Side) -> Self {
        let (added, removed) = (beyond(&new.powers, &old.powers), beyond(&old.powers, &new.powers));
        Self { old, new, added, removed }
    }

    /// Whether the new version asks for anything that the old one did not.
    #[must_use]
    pub fn increases(&self) -> bool {
        !self.added.is_empty()
    }

    /// SHA-256 of the canonical difference: old and new powers and both manifest hashes. Accepting it accepts this
    /// difference and no other.
    ///
    /// # Errors
    /// If the asks have no canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Ok(Digest::of(&canonical(&Canonical { schema: SCHEMA, old: &self.old, new: &self.new })?))
    }
}

/// What `wide` asks for that `narrow` does not cover, each as a line. What is linked empty reaches nothing and counts for
/// nothing.
fn beyond(wide: &Asks, narrow: &Asks) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tell = |capability: &str, line: String| lines.push(format!("{capability}: {line}"));
    for ask in wide.files.entries() {
        if !narrow.files.entries().iter().any(|other| files_cover(other, ask)) {
            tell("files", ask.line());
        }
    }
    for ask in wide.http.entries() {
        if !http_covers(narrow.http.entries(), ask) {
            tell("http", ask.line());
        }
    }
    for ask in wide.secrets.iter().filter(|ask| !narrow.secrets.iter().any(|other| secret_covers(other, ask))) {
        tell("secrets", ask.line());
    }
    // Of these nothing is wider than another: an ask is there, or it is not.
    for ask in wide.sockets.entries().iter().filter(|ask| !narrow.sockets.entries().contains(ask)) {
        tell("sockets", ask.line());
    }
    for ask in wide.env.iter().filter(|ask| !narrow.env.contains(ask)) {
        tell("env", ask.line());
    }
    for ask in wide.keyvalue.iter().filter(|ask| !narrow.keyvalue.contains(ask)) {
        tell("keyvalue", ask.line());
    }
    for ask in wide.config.iter().filter(|ask| !narrow.config.contains(ask)) {
        tell("config", ask.line());
    }
    if wide.clocks == Some(clocks::Ask::Precise) && narrow.clocks != Some(clocks::Ask::Precise) {
        tell("clocks", "precise".to_owned());
    }
    for ask in wide.tools.iter().filter(|ask| !narrow.tools.contains(ask)) {
        tell("tools", ask.line());
    }
    lines
}

fn files_cover(wide: &files::Ask, narrow: &files::Ask) -> bool {
    wide.mount == narrow.mount && (wide.access == narrow.access || wide.access == files::Access::Write)
}

/// To see a secret is more than to have it sent.
fn secret_covers(wide: &secrets::Ask, narrow: &secrets::Ask) -> bool {
    *wide == secrets::Ask { reveal: wide.reveal, ..narrow.clone() } && (wide.reveal || !narrow.reveal)
}

/// Whether every method on every path of the ask is covered by one of the others for the same origin.
fn http_covers(wide: &[http::Ask], narrow: &http::Ask) -> bool {
    let same: Vec<&http::Ask> = wide.iter().filter(|other| other.origin == narrow.origin).collect();
    narrow.methods.iter().all(|method| {
        narrow.paths.iter().all(|path| {
            same.iter()
                .any(|other| other.methods.contains(method) && other.paths.iter().any(|prefix| http::is_within(path, prefix)))
        })
    })
}

#[cfg(test)]
#[path = "tests/difference.rs"]
mod tests;

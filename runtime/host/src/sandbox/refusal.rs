//! What a guest wanted outside and did not get.

use serde::{Deserialize, Serialize};

use super::stdio::inert;

/// Something that was refused while a guest ran. It is for the receipt: the guest itself is told no more than that it was
/// refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The power, such as `http`.
    pub capability: String,
    /// What about it was refused.
    pub reason: Reason,
    /// What the guest asked for, shortened, with control characters escaped and without the query of a URL.
    pub asked: String,
    /// The reason in words.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// What was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The origin is not granted: another scheme, host or port.
    Origin,
    /// The method is not granted for this origin.
    Method,
    /// The path lies under no granted prefix.
    Path,
    /// The URL is spelled in a way in which two programs could read two things.
    Spelling,
    /// A header that is the host's own, or that no skill may send.
    Header,
    /// Something is longer than it may be.
    Size,
    /// The origin leads to an address that is not public and not named by the grant.
    Address,
    /// This protocol, address and port are not granted together.
    Peer,
    /// It would let others in: a port of this machine, or waiting for connections.
    Inbound,
    /// No names are looked up.
    Name,
    /// Too many connections are open at once.
    Connections,
    /// The store is not granted.
    Store,
    /// It would hold more than was granted.
    Quota,
    /// The skill is not granted.
    Skill,
    /// The skill is one of those that the call came about by.
    Cycle,
    /// Calls nest too deeply.
    Depth,
    /// Nothing is left of what it needs.
    Budget,
    /// What the host needs for it cannot be used now.
    Unavailable,
    /// It is a rehearsal, and no reply is recorded.
    Unrecorded,
    /// This host has no way to do it at all.
    Host,
}

/// The most characters of what was asked.
const ASKED: usize = 300;

impl Refusal {
    /// A refusal. `asked` may be anything that a guest wrote.
    #[must_use]
    pub fn new(capability: &str, reason: Reason, asked: &str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { capability: capability.to_owned(), reason, asked: shown(asked), message: message.into(), hint: hint.into() }
    }
}

/// A text of a guest's, as it can be shown to people: one line, inert, and not long.
pub(crate) fn shown(text: &str) -> String {
    let mut line: String = inert(text.as_bytes()).replace('\n', "\\n").replace('\t', "\\t");
    if let Some((end, _)) = line.char_indices().nth(ASKED) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_asked_is_one_short_line() {
        let refusal = Refusal::new("http", Reason::Path, &format!("a\n\u{1b}[2J{}", "é".repeat(400)), "", "");
        assert!(refusal.asked.starts_with("a\\n\\u{1b}[2Jéé") && refusal.asked.ends_with("é…"), "{}", refusal.asked);
        assert_eq!(refusal.asked.chars().count(), ASKED + 1);
    }
}

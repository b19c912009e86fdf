//! Calls of other skills.
//!
//! skill.toml names whom the skill calls, and the host's operator grants it:
//!
//! ```toml
//! [capabilities]
//! tools = [{ skill = "org.skillhall/redact", version = "^1" }]
//! ```
//!
//! Each call goes through every gate of the host and is judged anew, so any of them can be denied. What the called skill uses
//! is taken from what this run has left. A component imports `skillhall:tools` only if it calls [`call`].

use std::fmt::{self, Write as _};

#[allow(missing_docs, unsafe_code, clippy::all, clippy::pedantic, clippy::restriction, reason = "made by wit-bindgen")]
mod bindings {
    // The published package, which lies outside of this crate; a test holds one against the other.
    wit_bindgen::generate!({
        inline: "
            package skillhall:tools@0.1.0;
            interface call {
                record denial { code: string, message: string, hint: string }
                record failure { code: string, message: string }
                enum refusal { undeclared, cycle, too-deep, budget, unavailable }
                variant error { denied(denial), failed(failure), skill(string), refused(refusal) }
                call: func(skill: string, tool: string, input: string) -> result<string, error>;
            }
            world imports { import call; }
        ",
        world: "imports",
    });
}

use bindings::skillhall::tools::call as host;

/// Why a call gave no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// A gate of the host refused it.
    Denied {
        /// The code, such as `DENY_SKILL_REVOKED`.
        code: String,
        /// What the code means; of an input that does not fit, what is wrong with it.
        message: String,
        /// What can be done about it.
        hint: String,
    },
    /// The skill ran and ended badly.
    Failed {
        /// The code, such as `FAIL_TIME`.
        code: String,
        /// What the code means.
        message: String,
    },
    /// The skill gave its own error: a JSON text.
    Skill(String),
    /// The call did not come to the gates.
    Refused(Refusal),
}

/// Why a call did not come to the gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// skill.toml does not name the skill.
    Undeclared,
    /// It is one of those by which this very call came about.
    Cycle,
    /// Calls nest as deep as the host lets them.
    TooDeep,
    /// Nothing is left of the time, the memory, the output or the fuel.
    Budget,
    /// The host cannot make such calls now.
    Unavailable,
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied { code, message, .. } | Self::Failed { code, message } => write!(f, "{code}: {message}"),
            Self::Skill(error) => write!(f, "the called skill's own error: {error}"),
            Self::Refused(refusal) => refusal.fmt(f),
        }
    }
}

impl std::error::Error for CallError {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Undeclared => "skill.toml does not name the called skill",
            Self::Cycle => "a skill cannot call one that it was called by",
            Self::TooDeep => "calls of skills nest no deeper on this host",
            Self::Budget => "nothing is left that the called skill could run with",
            Self::Unavailable => "the host cannot make calls of skills now",
        })
    }
}

impl std::error::Error for Refusal {}

/// Calls a tool of a skill, and waits for its end. `skill` is `NAMESPACE/NAME`; which version is called is the newest that is
/// installed and that skill.toml and the host's policy both name. `input` is a JSON text, an object with one member for each
/// parameter; the result is a JSON text.
///
/// # Errors
/// [`CallError`].
pub fn call(skill: &str, tool: &str, input: &str) -> Result<String, CallError> {
    host::call(skill, tool, input).map_err(|error| match error {
        host::Error::Denied(host::Denial { code, message, hint }) => CallError::Denied { code, message, hint },
        host::Error::Failed(host::Failure { code, message }) => CallError::Failed { code, message },
        host::Error::Skill(error) => CallError::Skill(error),
        host::Error::Refused(refusal) => CallError::Refused(match refusal {
            host::Refusal::Undeclared => Refusal::Undeclared,
            host::Refusal::Cycle => Refusal::Cycle,
            host::Refusal::TooDeep => Refusal::TooDeep,
            host::Refusal::Budget => Refusal::Budget,
            host::Refusal::Unavailable => Refusal::Unavailable,
        }),
    })
}

/// A text as a JSON string with its quotes, to build an input of: `format!("{{\"text\": {}}}", quoted(text))`.
#[must_use]
pub fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            c if c.is_control() => {
                // Control characters all lie in the first plane, so four digits hold them.
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_quoted_as_json() {
        assert_eq!(quoted("a\"b\\c\n\u{85}ż"), "\"a\\\"b\\\\c\\u000a\\u0085ż\"");
    }

    #[test]
    fn an_error_says_what_it_is() {
        let failed = CallError::Failed { code: "FAIL_TIME".into(), message: "too long".into() };
        assert_eq!(failed.to_string(), "FAIL_TIME: too long");
        assert!(CallError::Refused(Refusal::Cycle).to_string().contains("called by"));
    }

    /// The text that counts: without comments, and with white space made one.
    fn plain(wit: &str) -> String {
        let lines = wit.lines().map(|line| line.split("//").next().unwrap_or_default());
        let text: String = lines.collect::<Vec<_>>().join(" ").replace(['{', '}', ',', ';', '(', ')'], " ");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_interface_is_the_published_one() {
        let source = include_str!("tools.rs");
        let inline = source.split("inline: \"").nth(1).and_then(|rest| rest.split("\",\n").next()).unwrap();
        assert_eq!(plain(inline), plain(include_str!("../../../wit/tools/0.1.0/tools.wit")));
    }
}

//! What the text of a guest says about itself: the lines that begin with `;;!`, which together are one TOML table.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;
use skillhall_core::capability::Asks;
use skillhall_core::failure::FailureCode;

use crate::engine::Limits;

/// What the name of a guest begins with: what it is about.
const KINDS: [&str; 20] = [
    "advisory", "calls", "compile", "exit", "files", "fuel", "good", "handles", "http", "link", "memory", "output", "powers",
    "sockets", "stack", "time", "tools", "trap", "values", "feature",
];

/// A guest that is built in: what it tries, and how its run must end.
#[derive(Debug)]
pub struct Guest {
    name: String,
    pub(super) plan: Plan,
    pub(super) component: Arc<[u8]>,
}

/// What stands in a guest's head. Whatever is missing or unknown there is an error.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    /// What it tries, as one sentence.
    pub(super) tries: String,
    /// The function that is called.
    pub(super) export: String,
    /// Its input.
    pub(super) input: Value,
    /// Within what it is run; what is not named is as in [`Limits::default`].
    pub(super) limits: Limits,
    /// What it is granted, spelled as in skill.toml; a mount is a folder of its own that is thrown away.
    pub(super) powers: Asks,
    /// How its run must end.
    pub(super) expect: Expect,
    /// Whether the doctor runs it on users' machines.
    pub(super) doctor: bool,
    /// The row of the table of limits in docs/sandbox.md that it exceeds.
    #[serde(default)]
    pub(super) limit: Option<String>,
    /// Words of the message with which it ends.
    #[serde(default)]
    pub(super) says: Option<String>,
    /// The skill's own error.
    #[serde(default)]
    pub(super) error: Option<Value>,
    /// The functions in which it is stopped, innermost first.
    #[serde(default)]
    pub(super) backtrace: Option<Vec<String>>,
    /// What it leaves on standard output, as it is shown.
    #[serde(default)]
    pub(super) stdout: Option<String>,
    /// Figures of its run that are the same each time.
    #[serde(default)]
    pub(super) used: serde_json::Map<String, Value>,
    /// How often it is run, each time in a sandbox of its own; once if that is not said.
    #[serde(default)]
    pub(super) runs: Option<u32>,
    /// Another file whose component it is.
    #[serde(default)]
    #[cfg_attr(not(test), expect(dead_code, reason = "what is built in is compiled already"))]
    pub(super) body: Option<String>,
}

/// How the run of a guest must end.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expect {
    /// It fails with this code.
    Failure(FailureCode),
    /// It is not even compiled.
    Refused(Refusal),
    /// It gives this value.
    Value(Value),
    /// It comes to its end without a value.
    Done,
}

/// Why bytes are not compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Refusal {
    /// They are no component, or use what the engine does not offer.
    Component,
    /// They are too many.
    Size,
}

/// The head of a guest is not as it must be.
#[derive(Debug, thiserror::Error)]
#[error("{name}: {message}")]
pub(super) struct HeadError {
    name: String,
    message: String,
}

impl Guest {
    /// A guest with the head of this text, whose component this is.
    pub(super) fn new(name: &str, text: &str, component: Arc<[u8]>) -> Result<Self, HeadError> {
        Ok(Self { name: name.to_owned(), plan: Plan::read(name, text)?, component })
    }

    /// Its name. What stands before the first `-` says what it is about.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it tries, as one sentence.
    #[must_use]
    pub fn tries(&self) -> &str {
        &self.plan.tries
    }

    /// How its run must end: a failure code, `refused`, or `its value`.
    #[must_use]
    pub fn expected(&self) -> &'static str {
        self.plan.expect.as_str()
    }

    /// The row of the table of limits in docs/sandbox.md that it exceeds, if it is a limit.
    #[must_use]
    pub fn limit(&self) -> Option<&str> {
        self.plan.limit.as_deref()
    }
}

impl Expect {
    fn as_str(&self) -> &'static str {
        match self {
            Self::Failure(code) => code.as_str(),
            Self::Refused(_) => "refused",
            Self::Value(_) | Self::Done => "its value",
        }
    }
}

impl Plan {
    pub(super) fn read(name: &str, text: &str) -> Result<Self, HeadError> {
        let wrong = |message: String| HeadError { name: name.to_owned(), message };
        let kind = name.split('-').next().unwrap_or_default();
        if !KINDS.contains(&kind) {
            return Err(wrong(format!("a name begins with one of {}", KINDS.join(", "))));
        }
        let lines = text.lines().filter_map(|line| line.strip_prefix(";;!"));
        let head: String = lines.flat_map(|line| [line, "\n"]).collect();
        let plan: Self = toml::from_str(&head).map_err(|error| wrong(error.to_string()))?;
        plan.check().map_err(|message| wrong(message.to_owned()))?;
        Ok(plan)
    }

    fn check(&self) -> Result<(), &'static str> {
        let bare = matches!(self.expect, Expect::Refused(_) | Expect::Failure(FailureCode::Link));
        if !self.tries.ends_with('.') || self.tries.contains('\n') {
            return Err("tries is one sentence");
        }
        if bare && self.says.is_none() {
            return Err("what is refused is refused for one reason: says has words of it");
        }
        if self.doctor && !self.powers.http.entries().is_empty() {
            return Err("the doctor reaches no network");
        }
        if self.runs == Some(0) {
            return Err("it runs at least once");
        }
        self.powers.validate().map_err(|_| "powers cannot be asked for like this")
    }
}

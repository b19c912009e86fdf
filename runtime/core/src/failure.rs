//! How an admitted run can end badly.
//!
//! A [`Failure`] is the skill's: it was allowed to run, and then trapped, ran out of a budget, gave its own error or was
//! stopped. It is neither a [`denial`](crate::denial) nor a fault of the host.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

macro_rules! failures {
    ($($variant:ident = $text:literal, $limit:literal, $summary:literal, $hint:literal;)*) => {
        /// How a run failed: the closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum FailureCode {
            $(#[doc = $summary] #[serde(rename = $text)] $variant,)*
        }

        impl FailureCode {
            /// Every failure code, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The code as it stands in records and receipts.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// Whether a limit was exceeded (the command then exits with 7, else with 6).
            #[must_use]
            pub fn is_limit(self) -> bool {
                match self { $(Self::$variant => $limit,)* }
            }

            /// One line: what happened.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// One line: what to do about it.
            #[must_use]
            pub fn hint(self) -> &'static str {
                match self { $(Self::$variant => $hint,)* }
            }
        }
    };
}

failures! {
    Skill = "FAIL_SKILL", false, "The skill returned its own error.", "The error is the skill's; read it and mend the input.";
    Trap = "FAIL_TRAP", false, "The skill trapped (a panic, an unreachable instruction, a bad memory access).", "Report it to the skill's author with the backtrace.";
    Exit = "FAIL_EXIT", false, "The skill called exit instead of returning.", "A tool returns its result; report it to the skill's author.";
    Link = "FAIL_LINK", false, "The component could not be instantiated with what it was granted.", "`hall inspect` shows what it imports and what it declares.";
    Grant = "FAIL_GRANT", false, "What was granted could not be handed to the skill.", "Make what the message names, or grant something else with `hall grant`.";
    Worker = "FAIL_WORKER", false, "The process that ran the skill could not be had, ended, or said what it may not.", "Call again; if it stays, `hall doctor` shows what isolation has here, and the message what went wrong.";
    OutputSchema = "FAIL_OUTPUT_SCHEMA", false, "The skill returned a value that breaks its own output schema.", "Report it to the skill's author.";
    Killed = "FAIL_KILLED", false, "The run was stopped by a kill switch.", "See the standing of the skill with `hall inspect`.";
    Cancelled = "FAIL_CANCELLED", false, "The caller withdrew the call while it ran.", "Nothing to mend; call again if you want the result.";
    Time = "FAIL_TIME", true, "The run took longer than its time limit.", "Give it less to do, or raise limits.time in skill.toml within the host's maximum.";
    Fuel = "FAIL_FUEL", true, "The run used up its fuel.", "Give it less to do, or raise limits.fuel in skill.toml within the host's maximum.";
    Memory = "FAIL_MEMORY", true, "The run needed more memory than its limit.", "Give it less to do, or raise limits.memory in skill.toml within the host's maximum.";
    Stack = "FAIL_STACK", true, "The run's calls nested too deeply.", "Report it to the skill's author: a recursion without end, or an input that is nested too deeply.";
    Output = "FAIL_OUTPUT", true, "The run gave out more than its output limit.", "Ask for less, or raise limits.output in skill.toml within the host's maximum.";
    HostCalls = "FAIL_HOST_CALLS", true, "The run called the host too often or moved too many bytes through it.", "Report it to the skill's author.";
    Handles = "FAIL_HANDLES", true, "The run held too many resources at once.", "Report it to the skill's author.";
    Value = "FAIL_VALUE", true, "A value was nested too deeply, had too many elements, or was beyond the range of its type.", "Mend the value that the message names, or give it less at once.";
}

impl fmt::Display for FailureCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An admitted run that ended badly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code of the closed table.
    pub code: FailureCode,
    /// What happened, with this case's figures.
    pub message: String,
    /// The skill's own error value, if it returned one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Box<Value>>,
    /// Function names from the innermost frame outwards, for traps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backtrace: Vec<String>,
}

impl Failure {
    /// A failure with a message of its own.
    #[must_use]
    pub fn new(code: FailureCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), error: None, backtrace: Vec::new() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

//! A call of a skill by a skill, as it goes from the sandbox to whoever makes it: plain data, which can go over a pipe.

use std::future::{Future, ready};
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use skillhall_core::capability::tools::Grant;
use skillhall_core::digest::Digest;

use crate::sandbox::Refusal;
use crate::sandbox::refusal::{Reason, shown};

/// What a guest wants called, and what its run has left for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The skill, as the guest names it.
    pub skill: String,
    /// The tool.
    pub tool: String,
    /// The input, which should be JSON.
    pub input: String,
    /// What the calling run has left.
    pub rest: Rest,
}

/// What is left of a run's budgets, each in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is what is left of the limit of this name")]
pub struct Rest {
    pub time_ms: u64,
    /// `None` if the run counts none.
    pub fuel: Option<u64>,
    /// What the run itself holds at this moment is not among it.
    pub memory_bytes: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
    pub host_call_bytes: u64,
    pub file_opens: u64,
    pub file_bytes: u64,
    pub sockets: u64,
    pub http_requests: u64,
    pub http_bytes: u64,
    pub tool_calls: u64,
}

/// What a called skill used, each in its own unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is what was used of the limit of this name")]
pub struct Spent {
    pub fuel: u64,
    /// The most that it held at once, and what it called held with it.
    pub memory_peak_bytes: u64,
    pub output_bytes: u64,
    pub host_calls: u64,
    pub host_call_bytes: u64,
    pub file_opens: u64,
    pub file_bytes: u64,
    pub sockets: u64,
    pub http_requests: u64,
    pub http_bytes: u64,
    pub tool_calls: u64,
}

impl Rest {
    /// The less of both, of each budget.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        let fuel = match (self.fuel, other.fuel) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            time_ms: self.time_ms.min(other.time_ms),
            fuel,
            memory_bytes: self.memory_bytes.min(other.memory_bytes),
            output_bytes: self.output_bytes.min(other.output_bytes),
            host_calls: self.host_calls.min(other.host_calls),
            host_call_bytes: self.host_call_bytes.min(other.host_call_bytes),
            file_opens: self.file_opens.min(other.file_opens),
            file_bytes: self.file_bytes.min(other.file_bytes),
            sockets: self.sockets.min(other.sockets),
            http_requests: self.http_requests.min(other.http_requests),
            http_bytes: self.http_bytes.min(other.http_bytes),
            tool_calls: self.tool_calls.min(other.tool_calls),
        }
    }

    /// What is left when this was spent. Time passes by itself, and memory is given back.
    #[must_use]
    pub fn after(&self, spent: &Spent) -> Self {
        Self {
            time_ms: self.time_ms,
            fuel: self.fuel.map(|fuel| fuel.saturating_sub(spent.fuel)),
            memory_bytes: self.memory_bytes,
            output_bytes: self.output_bytes.saturating_sub(spent.output_bytes),
            host_calls: self.host_calls.saturating_sub(spent.host_calls),
            host_call_bytes: self.host_call_bytes.saturating_sub(spent.host_call_bytes),
            file_opens: self.file_opens.saturating_sub(spent.file_opens),
            file_bytes: self.file_bytes.saturating_sub(spent.file_bytes),
            sockets: self.sockets.saturating_sub(spent.sockets),
            http_requests: self.http_requests.saturating_sub(spent.http_requests),
            http_bytes: self.http_bytes.saturating_sub(spent.http_bytes),
            tool_calls: self.tool_calls.saturating_sub(spent.tool_calls),
        }
    }

    /// The budget without which no run begins, and of which nothing is left.
    #[must_use]
    pub fn lacking(&self) -> Option<&'static str> {
        let needed = [
            ("time", self.time_ms),
            ("memory", self.memory_bytes),
            ("output", self.output_bytes),
            ("fuel", self.fuel.unwrap_or(u64::MAX)),
        ];
        needed.into_iter().find_map(|(name, left)| (left == 0).then_some(name))
    }
}

impl Spent {
    /// No more than this: what ended because it was too much was stopped there.
    #[must_use]
    pub fn at_most(self, rest: &Rest) -> Self {
        Self {
            fuel: self.fuel.min(rest.fuel.unwrap_or(u64::MAX)),
            memory_peak_bytes: self.memory_peak_bytes.min(rest.memory_bytes),
            output_bytes: self.output_bytes.min(rest.output_bytes),
            host_calls: self.host_calls.min(rest.host_calls),
            host_call_bytes: self.host_call_bytes.min(rest.host_call_bytes),
            file_opens: self.file_opens.min(rest.file_opens),
            file_bytes: self.file_bytes.min(rest.file_bytes),
            sockets: self.sockets.min(rest.sockets),
            http_requests: self.http_requests.min(rest.http_requests),
            http_bytes: self.http_bytes.min(rest.http_bytes),
            tool_calls: self.tool_calls.min(rest.tool_calls),
        }
    }
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// What the guest is told: the result as JSON, or why there is none.
    pub end: Result<String, CallError>,
    /// What it cost.
    pub spent: Spent,
    /// What receipt and record say of it.
    pub called: Called,
    /// What the receipt says of a call that did not come to the gates.
    pub refusal: Option<Box<Refusal>>,
}

/// Why there is no result, as the guest is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallError {
    /// A gate refused it: the code, and what it means; of what was found, only what is the calling skill's own doing.
    Denied {
        /// The deny code.
        code: String,
        /// What it means.
        message: String,
        /// What can be done.
        hint: String,
    },
    /// It ran and ended badly: the code, and what it means.
    Failed {
        /// The failure's code.
        code: String,
        /// What it means.
        message: String,
    },
    /// Its own error, as JSON.
    Skill(String),
    /// It did not come to the gates.
    Refused(Refused),
}

/// Why a call did not come to the gates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Refused {
    /// The calling skill was not granted this skill, be it there or not.
    Undeclared,
    /// It is one of those that this call came about by.
    Cycle,
    /// Calls nest as deep as the host lets them.
    TooDeep,
    /// Nothing is left of something that every run needs.
    Budget,
    /// The host cannot make such calls now.
    Unavailable,
}

impl Refused {
    /// The word for it in receipts and records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Undeclared => "undeclared",
            Self::Cycle => "cycle",
            Self::TooDeep => "too-deep",
            Self::Budget => "budget",
            Self::Unavailable => "unavailable",
        }
    }

    fn reason(self) -> Reason {
        match self {
            Self::Undeclared => Reason::Skill,
            Self::Cycle => Reason::Cycle,
            Self::TooDeep => Reason::Depth,
            Self::Budget => Reason::Budget,
            Self::Unavailable => Reason::Unavailable,
        }
    }
}

/// A call of a skill by a skill, for receipt and record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Called {
    /// The skill in the version that was called; without a version, as it was named, if it came to none.
    pub skill: String,
    /// The manifest hash of that version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_hash: Option<Digest>,
    /// The tool.
    pub tool: String,
    /// The decision about it, if it came to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// `done`, a deny code, a failure code, the word of a refusal, or `unfinished` if the calling run ended first.
    pub outcome: String,
    /// How long the calling skill waited, in microseconds.
    pub wall_us: u64,
}

impl Request {
    /// How many bytes it takes out of the guest.
    pub(crate) fn bytes(&self) -> u64 {
        bytes(&[&self.skill, &self.tool, &self.input])
    }
}

impl Answer {
    /// How many bytes it takes into the guest.
    pub(crate) fn bytes(&self) -> u64 {
        match &self.end {
            Ok(text) | Err(CallError::Skill(text)) => bytes(&[text]),
            Err(CallError::Denied { code, message, hint }) => bytes(&[code, message, hint]),
            Err(CallError::Failed { code, message }) => bytes(&[code, message]),
            Err(CallError::Refused(_)) => 0,
        }
    }
}

fn bytes(texts: &[&String]) -> u64 {
    texts.iter().map(|text| u64::try_from(text.len()).unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
}

impl Called {
    /// One that has not ended.
    #[must_use]
    pub fn begun(request: &Request) -> Self {
        Self {
            skill: shown(&request.skill),
            manifest_hash: None,
            tool: shown(&request.tool),
            decision_id: None,
            outcome: "unfinished".to_owned(),
            wall_us: 0,
        }
    }
}

impl Answer {
    /// A call that does not come to the gates, and what the receipt says of it.
    #[must_use]
    pub fn refused(request: &Request, refused: Refused, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            end: Err(CallError::Refused(refused)),
            spent: Spent::default(),
            called: Called { outcome: refused.as_str().to_owned(), ..Called::begun(request) },
            refusal: Some(Box::new(Refusal::new("tools", refused.reason(), &request.skill, message, hint))),
        }
    }

    /// This host has no way to make such calls.
    #[must_use]
    pub fn without_calls(request: &Request) -> Self {
        let hint = "Whoever runs this host decides whether its skills call each other.";
        Self::refused(request, Refused::Unavailable, "this host was given no way to call skills", hint)
    }

    /// As what is answered when it is asked for.
    #[must_use]
    pub fn at_once(self) -> Calling {
        Box::pin(ready(self))
    }
}

/// A call under way. Dropping it ends the called skill.
pub type Calling = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// Makes the calls of one run: whoever does so takes each through every gate.
pub trait Calls: Send + Sync {
    /// Calls a skill that the run was granted.
    fn call(&self, callee: &Grant, request: Request) -> Calling;
}

/// The broker's side: what is granted, and who makes the calls.
#[derive(Clone, Default)]
pub(crate) struct Caller {
    granted: Vec<Grant>,
    calls: Option<std::sync::Arc<dyn Calls>>,
}

impl Caller {
    pub(crate) fn new(granted: &[Grant], calls: Option<&std::sync::Arc<dyn Calls>>) -> Self {
        Self { granted: granted.to_vec(), calls: calls.cloned() }
    }

    /// Hands on what is granted, and refuses all else, whether there is such a skill or not.
    pub(crate) fn call(&self, request: Request) -> Calling {
        let Some(callee) = self.granted.iter().find(|grant| grant.skill.to_string() == request.skill) else {
            let message = "the skill is not among those that this skill asked for and was granted";
            let hint = "Its author names it under `tools` in [capabilities] of skill.toml; then its operator grants it: \
                        hall grant NAMESPACE/NAME --tool SKILL@VERSIONS";
            return Answer::refused(&request, Refused::Undeclared, message, hint).at_once();
        };
        match &self.calls {
            Some(calls) => calls.call(callee, request),
            None => Answer::without_calls(&request).at_once(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: Rest = Rest {
        time_ms: 10,
        fuel: None,
        memory_bytes: 20,
        output_bytes: 30,
        host_calls: 40,
        host_call_bytes: 50,
        file_opens: 60,
        file_bytes: 62,
        sockets: 65,
        http_requests: 70,
        http_bytes: 80,
        tool_calls: 90,
    };

    #[test]
    fn the_less_of_two_rests_counts_of_each_budget() {
        let other = Rest { time_ms: 99, fuel: Some(5), memory_bytes: 1, tool_calls: 0, ..REST };
        let both = Rest { time_ms: 10, fuel: Some(5), memory_bytes: 1, tool_calls: 0, ..REST };
        assert_eq!((REST.within(&other), other.within(&REST)), (both, both));
        assert_eq!(Rest { fuel: Some(7), ..REST }.within(&Rest { fuel: Some(5), ..REST }).fuel, Some(5));
    }

    #[test]
    fn what_was_spent_is_gone_but_for_memory_and_time() {
        let spent = Spent {
            fuel: 1,
            memory_peak_bytes: 2,
            output_bytes: 3,
            host_calls: 4,
            host_call_bytes: 5,
            file_opens: 6,
            file_bytes: 7,
            sockets: 6,
            http_requests: 7,
            http_bytes: 8,
            tool_calls: 9,
        };
        let left = Rest { fuel: Some(9), ..REST }.after(&spent);
        let expected = Rest {
            fuel: Some(8),
            output_bytes: 27,
            host_calls: 36,
            host_call_bytes: 45,
            file_opens: 54,
            file_bytes: 55,
            sockets: 59,
            http_requests: 63,
            http_bytes: 72,
            tool_calls: 81,
            ..REST
        };
        assert_eq!(left, expected);
        let most = Spent { fuel: u64::MAX, output_bytes: 31, tool_calls: u64::MAX, ..spent };
        assert_eq!(most.at_most(&left), Spent { fuel: 8, output_bytes: 27, tool_calls: 81, ..spent });
    }

    #[test]
    fn a_run_needs_time_memory_output_and_fuel() {
        assert_eq!(REST.lacking(), None);
        assert_eq!(Rest { host_calls: 0, http_requests: 0, ..REST }.lacking(), None);
        for (rest, lacking) in [
            (Rest { time_ms: 0, ..REST }, "time"),
            (Rest { memory_bytes: 0, ..REST }, "memory"),
            (Rest { output_bytes: 0, ..REST }, "output"),
            (Rest { fuel: Some(0), ..REST }, "fuel"),
        ] {
            assert_eq!(rest.lacking(), Some(lacking));
        }
    }

    #[test]
    fn all_that_goes_to_and_fro_can_go_over_a_pipe() {
        let request = Request { skill: "org.acme/a".into(), tool: "t".into(), input: "{}".into(), rest: REST };
        let text = serde_json::to_string(&request).unwrap();
        assert_eq!(serde_json::from_str::<Request>(&text).unwrap(), request);
        let refused = Answer::refused(&request, Refused::TooDeep, "too deep", "do without");
        let done = Answer { end: Ok("1".into()), refusal: None, ..refused.clone() };
        for answer in [refused, done] {
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
        }
    }
}

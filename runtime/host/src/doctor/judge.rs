//! Whether a guest ended as it must, and what is told of it.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use skillhall_core::failure::Failure;
use skillhall_core::json::sorted;

use super::guest::{Expect, Guest, Plan, Refusal};
use crate::engine::{Limits, Outcome, PrepareError, Resources, Used};

/// What one host call may move at most: by so much the bytes of host calls can be over their limit.
const ONE_CALL_BYTES: u64 = 1 << 20;
/// An escaped character is at most this much longer than what was written.
const ESCAPED: u64 = 10;

/// How a guest came to its end.
#[derive(Debug)]
pub(super) enum Came {
    /// It was not compiled.
    Refused(PrepareError),
    /// It ran.
    Ended(Box<Outcome>),
}

impl Came {
    /// Whether it was stopped, or ended, later than its time and this.
    pub(super) fn is_late(&self, overrun: Duration) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::Ended(outcome) => outcome.resources.wall_us.used > latest(&outcome.resources, overrun),
        }
    }
}

/// The most microseconds that a run may take.
fn latest(used: &Resources, overrun: Duration) -> u64 {
    used.wall_us.allowed.saturating_add(u64::try_from(overrun.as_micros()).unwrap_or(u64::MAX))
}

/// What the doctor found about one guest.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The guest.
    pub guest: String,
    /// What it tried, as one sentence.
    pub tries: String,
    /// The row of the table of limits in docs/sandbox.md that it exceeds, if it is a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<String>,
    /// How it had to end.
    pub expected: &'static str,
    /// How it ended: a failure code, `refused`, or `its value`.
    pub came: &'static str,
    /// Whether it ended as it must, within its limits, and the next call was not touched.
    pub held: bool,
    /// What was not as it must be.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<String>,
    /// What it used of what it was allowed; nothing if it did not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// The figure of the limit that it exceeds.
    #[serde(skip)]
    pub figure: Option<Figure>,
    /// How long all of it took in microseconds: compiling, its run, and the good guest after it.
    pub duration_us: u64,
}

/// A figure of a run and its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    /// What was used, where it is counted.
    pub used: Option<u64>,
    /// The limit.
    pub allowed: u64,
    /// Of what.
    pub unit: Unit,
}

/// What a figure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Microseconds.
    Micros,
    /// Bytes.
    Bytes,
    /// Things.
    Count,
}

impl Finding {
    pub(super) fn new(guest: &Guest, came: Option<&Came>, wrong: Vec<String>, took: Duration) -> Self {
        let (ending, resources) = match came {
            None => ("nothing", None),
            Some(Came::Refused(_)) => ("refused", None),
            Some(Came::Ended(outcome)) => {
                (outcome.end.as_ref().err().map_or("its value", |failure| failure.code.as_str()), Some(outcome.resources))
            }
        };
        let limits = &guest.plan.limits;
        let figure = guest.limit().zip(resources.as_ref()).and_then(|(limit, used)| figure(limit, used, limits));
        Self {
            guest: guest.name().to_owned(),
            tries: guest.tries().to_owned(),
            limit: guest.limit().map(str::to_owned),
            expected: guest.expected(),
            came: ending,
            held: wrong.is_empty(),
            wrong,
            resources,
            figure,
            duration_us: u64::try_from(took.as_micros()).unwrap_or(u64::MAX),
        }
    }
}

/// The figure of a row of the table of limits.
fn figure(row: &str, used: &Resources, limits: &Limits) -> Option<Figure> {
    let told = |used: Used, unit| Some(Figure { used: Some(used.used), allowed: used.allowed, unit });
    let fixed = |allowed, unit| Some(Figure { used: None, allowed, unit });
    match row {
        "time" => told(used.wall_us, Unit::Micros),
        "fuel" => told(used.fuel?, Unit::Count),
        "memory" => told(used.memory_peak_bytes, Unit::Bytes),
        "output" => told(used.output_bytes, Unit::Bytes),
        "input" => told(used.input_bytes, Unit::Bytes),
        "host calls" => told(used.host_calls, Unit::Count),
        "bytes through host calls" => told(used.host_call_bytes, Unit::Bytes),
        "opens" => told(used.file_opens?, Unit::Count),
        "bytes into files" => told(used.file_bytes?, Unit::Bytes),
        "sockets" => told(used.sockets?, Unit::Count),
        "requests" => told(used.http_requests?, Unit::Count),
        "bytes of requests and responses" => told(used.http_bytes?, Unit::Bytes),
        "handles and resources" => fixed(limits.handles, Unit::Count),
        "stack" => fixed(limits.stack_bytes, Unit::Bytes),
        "core instances, memories; tables" => fixed(limits.instances, Unit::Count),
        "nesting, elements of a value" => fixed(limits.elements, Unit::Count),
        _ => None,
    }
}

/// What is not as the guest's head says it must be; and whether every limit was kept, whatever it says.
pub(super) fn judge(plan: &Plan, came: &Came, overrun: Duration) -> Vec<String> {
    let mut wrong = Vec::new();
    match came {
        Came::Refused(error) => wrong.extend(refused(plan, error)),
        Came::Ended(outcome) => {
            wrong.extend(ended(plan, outcome));
            wrong.extend(figures(plan, outcome));
            wrong.extend(beyond(&plan.limits, outcome, overrun));
        }
    }
    wrong
}

fn refused(plan: &Plan, error: &PrepareError) -> Option<String> {
    let kind = match error {
        PrepareError::Refused(_) => Some(Refusal::Component),
        PrepareError::TooLarge(_) => Some(Refusal::Size),
        PrepareError::DigestMismatch { .. } | PrepareError::Exceeded(_) | PrepareError::NoAnswer(_) | PrepareError::Fault(_) => {
            None
        }
    };
    match (&plan.expect, kind) {
        (Expect::Refused(expected), Some(kind)) if *expected == kind => unsaid(plan, &error.to_string()),
        _ => Some(format!("it was not compiled: {error}")),
    }
}

fn ended(plan: &Plan, outcome: &Outcome) -> Option<String> {
    match (&plan.expect, &outcome.end) {
        (Expect::Value(expected), Ok(value)) if value == expected => None,
        (Expect::Done, Ok(Value::Null)) => None,
        (Expect::Failure(code), Err(failure)) if failure.code == *code => {
            unsaid(plan, &failure.message).or_else(|| how(plan, failure))
        }
        (_, Ok(value)) => Some(format!("it came to its end and gave {}", shortened(value))),
        (_, Err(failure)) => Some(format!("it ended with {failure}")),
    }
}

/// The end has the right code, for the wrong reason.
fn unsaid(plan: &Plan, message: &str) -> Option<String> {
    let says = plan.says.as_deref().unwrap_or_default();
    (!message.contains(says)).then(|| format!("it ended for another reason than '{says}': {message}"))
}

fn how(plan: &Plan, failure: &Failure) -> Option<String> {
    if plan.error.is_some() && plan.error.as_ref() != failure.error.as_deref() {
        return Some(format!("its own error was {}", shortened(failure.error.as_deref().unwrap_or(&Value::Null))));
    }
    let expected = plan.backtrace.as_ref()?;
    (*expected != failure.backtrace).then(|| format!("it was stopped in {}", failure.backtrace.join(", ")))
}

fn figures(plan: &Plan, outcome: &Outcome) -> Vec<String> {
    let found = outcome.resources.to_map();
    let used = |name: &str| found.get(name).and_then(|used| used.get("used")).cloned().unwrap_or_default();
    let differs = |(name, expected): (&String, &Value)| {
        let used = used(name);
        (used != *expected).then(|| format!("it used {used} of {name}, not {expected}"))
    };
    let stdout = plan.stdout.as_ref().filter(|stdout| **stdout != outcome.stdout);
    let told = stdout.map(|_| format!("on standard output stands {:?}", outcome.stdout));
    plan.used.iter().filter_map(differs).chain(told).collect()
}

/// What no run may exceed, however it ends.
pub(super) fn beyond(limits: &Limits, outcome: &Outcome, overrun: Duration) -> Vec<String> {
    let used = &outcome.resources;
    let shown = to_u64(outcome.stdout.len()).saturating_add(to_u64(outcome.stderr.len()));
    let mut wrong = Vec::new();
    let mut hold = |what: &str, used: u64, most: u64| {
        if used > most {
            wrong.push(format!("{what}: {used} is more than {most}"));
        }
    };
    hold("microseconds", used.wall_us.used, latest(used, overrun));
    hold("bytes of memory", used.memory_peak_bytes.used, used.memory_peak_bytes.allowed);
    hold("host calls", used.host_calls.used, used.host_calls.allowed.saturating_add(1));
    hold("bytes through host calls", used.host_call_bytes.used, used.host_call_bytes.allowed.saturating_add(ONE_CALL_BYTES));
    hold("bytes that are shown", shown, limits.output_bytes.saturating_mul(ESCAPED));
    if let Some(fuel) = used.fuel {
        hold("fuel", fuel.used, fuel.allowed);
    }
    wrong
}

fn shortened(value: &Value) -> String {
    sorted(value.clone()).to_string().chars().take(200).collect()
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

//! How a run ended and what it used.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use skillhall_core::failure::Failure;

use super::limits::Limits;
use crate::sandbox::log::Line;
use crate::sandbox::{Refusal, Requested};

/// The end of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The tool's result, or why there is none.
    pub end: Result<Value, Failure>,
    /// What the run used of what it was allowed.
    pub resources: Resources,
    /// What it wrote to standard output; control characters escaped, within the output limit.
    pub stdout: String,
    /// What it wrote to standard error; control characters escaped, within the output limit.
    pub stderr: String,
    /// What it logged; control characters escaped, within the output limit.
    pub log: Vec<Line>,
    /// To which origins it wanted to send requests.
    pub http: Vec<Requested>,
    /// What it wanted outside and was refused: the first 16 of it.
    pub refusals: Vec<Refusal>,
}

/// A figure and its limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Used {
    /// What was used. After a limit was exceeded this can be a little more than allowed.
    pub used: u64,
    /// The limit.
    pub allowed: u64,
}

/// What a run used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resources {
    /// Wall clock in microseconds.
    pub wall_us: Used,
    /// Units of fuel, where fuel is counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<Used>,
    /// The most bytes that all memories and tables held together.
    pub memory_peak_bytes: Used,
    /// Bytes of result or error value, stdout, stderr and log.
    pub output_bytes: Used,
    /// Bytes of the input as JSON.
    pub input_bytes: Used,
    /// Calls of host functions.
    pub host_calls: Used,
    /// Bytes that host calls moved.
    pub host_call_bytes: Used,
    /// Files and folders that were opened or made, where folders were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_opens: Option<Used>,
    /// Requests to the network, where origins were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_requests: Option<Used>,
    /// Bytes to and from the network, where origins were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_bytes: Option<Used>,
}

impl Resources {
    /// Nothing used of these limits.
    #[must_use]
    pub fn none(limits: &Limits) -> Self {
        let unused = |allowed| Used { used: 0, allowed };
        Self {
            wall_us: unused(limits.time_ms.saturating_mul(1000)),
            fuel: limits.fuel.map(unused),
            memory_peak_bytes: unused(limits.memory_bytes),
            output_bytes: unused(limits.output_bytes),
            input_bytes: unused(limits.input_bytes),
            host_calls: unused(limits.host_calls),
            host_call_bytes: unused(limits.host_call_bytes),
            file_opens: None,
            http_requests: None,
            http_bytes: None,
        }
    }

    /// Each figure by its name, for a record.
    pub(crate) fn to_map(self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            _ => Map::new(),
        }
    }
}

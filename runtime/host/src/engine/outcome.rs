//! How a run ended and what it used.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use skillhall_core::failure::Failure;

use super::limits::Limits;
use crate::sandbox::log::Line;
use crate::sandbox::tools::Called;
use crate::sandbox::{Broker, Reached, Refusal, Requested};

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
    /// To which addresses it wanted sockets to reach: the first 16 of them.
    pub sockets: Vec<Reached>,
    /// Which skills it called, or wanted to.
    pub calls: Vec<Called>,
    /// What it wanted outside and was refused: the first 16 of it.
    pub refusals: Vec<Refusal>,
}

impl Outcome {
    /// Takes the values of secrets out of what the host itself shows of the run. The result and the error that the skill
    /// itself gives are handed to the caller as they are.
    pub(crate) fn scrub(&mut self, broker: &dyn Broker) {
        // Addresses are numbers.
        let Self { end, resources: _, stdout, stderr, log, http, calls, sockets: _, refusals } = self;
        if let Err(failure) = end {
            broker.scrub(&mut failure.message);
        }
        broker.scrub(stdout);
        broker.scrub(stderr);
        for line in log {
            broker.scrub(&mut line.context);
            broker.scrub(&mut line.message);
        }
        scrub_origins(http, broker);
        scrub_calls(calls, broker);
        for Refusal { asked, message, hint, .. } in refusals {
            broker.scrub(asked);
            broker.scrub(message);
            broker.scrub(hint);
        }
    }
}

/// Takes the values of secrets out of the names of origins: a guest that came to know one can ask for any.
pub(crate) fn scrub_origins(requested: &mut [Requested], broker: &dyn Broker) {
    for requested in requested {
        broker.scrub(&mut requested.origin);
    }
}

/// Takes the values of secrets out of what a guest named as skills and tools.
pub(crate) fn scrub_calls(calls: &mut [Called], broker: &dyn Broker) {
    for called in calls {
        broker.scrub(&mut called.skill);
        broker.scrub(&mut called.tool);
    }
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
    /// Memories of the component, where the engine can tell before it is instantiated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memories: Option<Used>,
    /// Tables of the component, where the engine can tell before it is instantiated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tables: Option<Used>,
    /// The deepest nesting of the input and of the result or error value, whichever is deeper, as far as they were read.
    pub value_depth: Used,
    /// The elements of the input and of the result or error value, whichever has more, as far as they were read.
    pub value_elements: Used,
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
    /// Bytes written into files, and by which they were made longer without writing, where folders were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_bytes: Option<Used>,
    /// TCP and UDP sockets that were made, where addresses were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sockets: Option<Used>,
    /// Requests to the network, where origins were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_requests: Option<Used>,
    /// Bytes to and from the network, where origins were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http_bytes: Option<Used>,
    /// Calls of other skills, those of the called skills among them, where skills were granted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<Used>,
    /// Bytes that the stores hold which it used, and may hold; as it left them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyvalue_bytes: Option<Used>,
    /// Entries that the stores hold which it used, and may hold; as it left them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keyvalue_entries: Option<Used>,
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
            memories: None,
            tables: None,
            value_depth: unused(limits.depth),
            value_elements: unused(limits.elements),
            output_bytes: unused(limits.output_bytes),
            input_bytes: unused(limits.input_bytes),
            host_calls: unused(limits.host_calls),
            host_call_bytes: unused(limits.host_call_bytes),
            file_opens: None,
            file_bytes: None,
            sockets: None,
            http_requests: None,
            http_bytes: None,
            tool_calls: None,
            keyvalue_bytes: None,
            keyvalue_entries: None,
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

//! The budgets of one run.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skillhall_core::package::manifest::LimitsAsk;

use super::values::ValueBounds;
use crate::sandbox::tools::Rest;
use crate::sandbox::{Allowance, Bounds};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Bytes of stack for a guest. It is a setting of the engine, the same for every run.
pub(super) const STACK_BYTES: u64 = 512 * KIB;

/// What one run may use. There is no way to leave one out; fuel alone is optional, since it costs speed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Wall clock of the whole call in milliseconds, awaited host work too.
    pub time_ms: u64,
    /// Units of fuel (about one for each instruction; a host call charges [`Limits::HOST_CALL_FUEL`]), or none.
    pub fuel: Option<u64>,
    /// Bytes of all memories and tables together.
    pub memory_bytes: u64,
    /// Bytes of result, error value, stdout and stderr together.
    pub output_bytes: u64,
    /// Bytes of the input as JSON.
    pub input_bytes: u64,
    /// Calls of host functions.
    pub host_calls: u64,
    /// Bytes that host calls move, those to and from the network among them.
    pub host_call_bytes: u64,
    /// Files and folders opened or made.
    pub file_opens: u64,
    /// Bytes written into files, and by which they are made longer without writing.
    pub file_bytes: u64,
    /// TCP and UDP sockets that are made.
    pub sockets: u64,
    /// Requests to the network, those that are refused too.
    pub http_requests: u64,
    /// Bytes to and from the network together, heads and bodies (inside TLS, where there is any).
    pub http_bytes: u64,
    /// Wall clock of one request in milliseconds, its bodies included.
    pub http_time_ms: u64,
    /// Calls of other skills, those of the called skills among them.
    pub tool_calls: u64,
    /// How deep calls of skills by skills nest. Whoever makes them holds them to it.
    pub tool_depth: u64,
    /// Resources and handles held at once.
    pub handles: u64,
    /// Bytes of stack. A setting of the engine: [`Limits::resolve`] always gives the engine's figure.
    pub stack_bytes: u64,
    /// Core instances (and memories) in one component.
    pub instances: u64,
    /// Tables in one component.
    pub tables: u64,
    /// Nesting of a value, both ways.
    pub depth: u64,
    /// Elements of a value, both ways.
    pub elements: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_ms: 30_000,
            fuel: None,
            memory_bytes: 64 * MIB,
            output_bytes: MIB,
            input_bytes: 4 * MIB,
            host_calls: 100_000,
            host_call_bytes: 64 * MIB,
            file_opens: 1_000,
            file_bytes: 64 * MIB,
            sockets: 64,
            http_requests: 16,
            http_bytes: 8 * MIB,
            http_time_ms: 10_000,
            tool_calls: 16,
            tool_depth: 4,
            handles: 1_000,
            stack_bytes: STACK_BYTES,
            instances: 16,
            tables: 4,
            depth: 64,
            elements: 1_000_000,
        }
    }
}

impl Limits {
    /// What one call of a host function costs in fuel.
    pub const HOST_CALL_FUEL: u64 = 1_000;

    /// The most that a host grants when its policy names no maximum of its own: ten minutes, 1 GiB of memory, 64 MiB of
    /// output; everything else as in the default.
    #[must_use]
    pub fn maximum() -> Self {
        Self { time_ms: 600_000, memory_bytes: 1024 * MIB, output_bytes: 64 * MIB, ..Self::default() }
    }

    /// The limits of a run: what the manifest asks for, else the default, and never more than the host's maximum.
    ///
    /// Fuel is counted if the manifest or the host's maximum names it.
    #[must_use]
    pub fn resolve(ask: &LimitsAsk, host_max: &Self) -> Self {
        let default = Self::default();
        let within = |asked: Option<u64>, default: u64, max: u64| asked.unwrap_or(default).min(max);
        let fuel = match (ask.fuel, host_max.fuel) {
            (Some(asked), Some(max)) => Some(asked.min(max)),
            (asked, max) => asked.or(max),
        };
        Self {
            time_ms: within(ask.time_ms, default.time_ms, host_max.time_ms),
            fuel,
            memory_bytes: within(ask.memory_bytes, default.memory_bytes, host_max.memory_bytes),
            output_bytes: within(ask.output_bytes, default.output_bytes, host_max.output_bytes),
            stack_bytes: STACK_BYTES,
            ..host_max.clone()
        }
    }

    /// These limits, cut to what a run has left that calls another skill.
    #[must_use]
    pub fn within(&self, rest: &Rest) -> Self {
        let Rest { time_ms, memory_bytes, output_bytes, host_calls, host_call_bytes, .. } = self.all().within(rest);
        let Rest { fuel, file_opens, file_bytes, sockets, http_requests, http_bytes, tool_calls, .. } = self.all().within(rest);
        Self {
            time_ms,
            fuel,
            memory_bytes,
            output_bytes,
            host_calls,
            host_call_bytes,
            file_opens,
            file_bytes,
            sockets,
            http_requests,
            http_bytes,
            tool_calls,
            ..self.clone()
        }
    }

    /// What a run has left of these limits that has used nothing.
    #[must_use]
    pub fn all(&self) -> Rest {
        Rest {
            time_ms: self.time_ms,
            fuel: self.fuel,
            memory_bytes: self.memory_bytes,
            output_bytes: self.output_bytes,
            host_calls: self.host_calls,
            host_call_bytes: self.host_call_bytes,
            file_opens: self.file_opens,
            file_bytes: self.file_bytes,
            sockets: self.sockets,
            http_requests: self.http_requests,
            http_bytes: self.http_bytes,
            tool_calls: self.tool_calls,
        }
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            time_ms: self.time_ms,
            tool_calls: self.tool_calls,
            memory_bytes: self.memory_bytes,
            output_bytes: self.output_bytes,
            host_calls: self.host_calls,
            host_call_bytes: self.host_call_bytes,
            file_opens: self.file_opens,
            file_bytes: self.file_bytes,
            sockets: self.sockets,
            handles: to_usize(self.handles),
            instances: to_usize(self.instances),
            tables: to_usize(self.tables),
            http: Allowance {
                requests: self.http_requests,
                bytes: self.http_bytes,
                time: Duration::from_millis(self.http_time_ms),
            },
        }
    }

    pub(super) fn values(&self) -> ValueBounds {
        ValueBounds { depth: self.depth, elements: self.elements }
    }
}

pub(super) fn to_usize(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ask_is_never_more_than_the_maximum() {
        let ask = LimitsAsk { memory_bytes: Some(u64::MAX), time_ms: Some(5), fuel: Some(9), output_bytes: None };
        let limits = Limits::resolve(&ask, &Limits::maximum());
        assert_eq!((limits.memory_bytes, limits.time_ms, limits.fuel), (1 << 30, 5, Some(9)));
        assert_eq!(limits.output_bytes, Limits::default().output_bytes);
    }

    #[test]
    fn a_low_maximum_lowers_the_default() {
        let max = Limits { time_ms: 7, memory_bytes: 1, fuel: Some(3), host_calls: 2, ..Limits::maximum() };
        let limits = Limits::resolve(&LimitsAsk::default(), &max);
        assert_eq!((limits.time_ms, limits.memory_bytes, limits.fuel, limits.host_calls), (7, 1, Some(3), 2));
    }
}

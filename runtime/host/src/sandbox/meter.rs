//! What a guest uses: memory and tables, host calls and the bytes they move.

use wasmtime::{ResourceLimiter, Result};

use super::Bounds;
use super::stop::Stop;

/// A table's element is a pointer on the host.
const TABLE_ELEMENT_BYTES: u64 = 8;

/// Counts, and says no. `StoreLimits` of the engine counts each memory and each table by itself; this one counts all of
/// a store together.
#[derive(Debug)]
pub(crate) struct Meter {
    memory_now: u64,
    memory_peak: u64,
    memory_allowed: u64,
    /// What the last growth added, to be given back if the engine then could not grow.
    last_growth: u64,
    instances: usize,
    tables: usize,
    host_calls: u64,
    host_calls_allowed: u64,
    host_calls_charged: u64,
    bytes: u64,
    bytes_allowed: u64,
}

impl Meter {
    pub(crate) fn new(bounds: &Bounds) -> Self {
        Self {
            memory_now: 0,
            memory_peak: 0,
            memory_allowed: bounds.memory_bytes,
            last_growth: 0,
            instances: bounds.instances,
            tables: bounds.tables,
            host_calls: 0,
            host_calls_allowed: bounds.host_calls,
            host_calls_charged: 0,
            bytes: 0,
            bytes_allowed: bounds.host_call_bytes,
        }
    }

    /// The most bytes that memories and tables held together.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak
    }

    /// How often the guest called a function of the host.
    pub(crate) fn host_calls(&self) -> u64 {
        self.host_calls
    }

    /// How many bytes host calls moved.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Counts one call of a host function. It cannot refuse by itself; [`Meter::check`] does, at the next crossing.
    pub(crate) fn host_call(&mut self) {
        self.host_calls = self.host_calls.saturating_add(1);
    }

    /// Counts bytes that a host call is about to move.
    pub(crate) fn moving(&mut self, bytes: u64) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.bytes_allowed {
            return Err(Stop::HostCallBytes { allowed: self.bytes_allowed });
        }
        Ok(())
    }

    /// Whether the guest may go on, as far as host calls are concerned.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if self.host_calls > self.host_calls_allowed {
            return Err(Stop::HostCalls { allowed: self.host_calls_allowed });
        }
        Ok(())
    }

    /// How many host calls were counted since this was last asked.
    pub(crate) fn uncharged_host_calls(&mut self) -> u64 {
        let new = self.host_calls.saturating_sub(self.host_calls_charged);
        self.host_calls_charged = self.host_calls;
        new
    }

    fn grow(&mut self, by: u64) -> Result<bool> {
        let asked = self.memory_now.saturating_add(by);
        if asked > self.memory_allowed {
            return Err(Stop::Memory { asked, allowed: self.memory_allowed }.into());
        }
        self.memory_now = asked;
        self.memory_peak = self.memory_peak.max(asked);
        self.last_growth = by;
        Ok(true)
    }

    fn give_back(&mut self) {
        self.memory_now = self.memory_now.saturating_sub(self.last_growth);
        self.last_growth = 0;
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        // Beyond its own declared maximum a memory cannot grow anyhow: the guest gets its -1, as the specification says.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(to_u64(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.give_back();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.grow(to_u64(desired.saturating_sub(current)).saturating_mul(TABLE_ELEMENT_BYTES))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> Result<()> {
        self.give_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    /// A memory reserves address space even when it is empty, so their number is bounded too.
    fn memories(&self) -> usize {
        self.instances
    }
}

fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

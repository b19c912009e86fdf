//! What a guest uses: memory and tables, host calls and the bytes they move.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use wasmtime::{ResourceLimiter, Result};

use super::stop::Stop;
use super::traffic::{KEPT, Traffic};
use super::{Bounds, Refusal};

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
    moved: Moved,
    file_opens: u64,
    file_opens_allowed: u64,
    traffic: Arc<Traffic>,
    refusals: Vec<Refusal>,
}

/// Bytes that went through the host. A stream, which outlives the call that made it, counts on its own copy.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    bytes: Arc<AtomicU64>,
    allowed: u64,
}

impl Moved {
    /// Counts bytes that the host moves.
    pub(crate) fn moving(&self, bytes: u64) -> Result<(), Stop> {
        let before = self.bytes.fetch_update(Relaxed, Relaxed, |before| Some(before.saturating_add(bytes)));
        if before.unwrap_or_else(|before| before).saturating_add(bytes) > self.allowed {
            return Err(Stop::HostCallBytes { allowed: self.allowed });
        }
        Ok(())
    }
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
            moved: Moved { bytes: Arc::default(), allowed: bounds.host_call_bytes },
            file_opens: 0,
            file_opens_allowed: bounds.file_opens,
            traffic: Arc::new(Traffic::new(bounds.http)),
            refusals: Vec::new(),
        }
    }

    /// What the guest does on the network. It is counted while the guest waits, so it is kept where tasks can reach it.
    pub(crate) fn traffic(&self) -> &Arc<Traffic> {
        &self.traffic
    }

    /// Keeps a refusal for the receipt.
    pub(crate) fn refused(&mut self, refusal: Refusal) {
        if self.refusals.len() < KEPT {
            self.refusals.push(refusal);
        }
    }

    /// What was refused, the network's refusals first: the first of it, if it was much.
    pub(crate) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = self.traffic.refusals();
        refusals.extend(self.refusals.iter().cloned());
        refusals.truncate(KEPT);
        refusals
    }

    /// The most bytes that memories and tables held together.
    pub(crate) fn memory_peak(&self) -> u64 {
        self.memory_peak
    }

    /// How often the guest called a function of the host.
    pub(crate) fn host_calls(&self) -> u64 {
        self.host_calls
    }

    /// How many bytes host calls moved, those to and from the network among them.
    pub(crate) fn bytes(&self) -> u64 {
        self.moved.bytes.load(Relaxed).saturating_add(self.traffic.bytes())
    }

    /// How many files and folders were opened or made.
    pub(crate) fn file_opens(&self) -> u64 {
        self.file_opens
    }

    /// Counts one call of a host function. It cannot refuse by itself; [`Meter::check`] does, at the next crossing.
    pub(crate) fn host_call(&mut self) {
        self.host_calls = self.host_calls.saturating_add(1);
    }

    /// Counts bytes that a host call is about to move.
    pub(crate) fn moving(&mut self, bytes: u64) -> Result<(), Stop> {
        self.moved.moving(bytes)?;
        self.check_bytes()
    }

    /// The count of moved bytes, for a stream.
    pub(crate) fn moved(&self) -> Moved {
        self.moved.clone()
    }

    /// Counts a file or folder that is about to be opened or made.
    pub(crate) fn opening(&mut self) -> Result<(), Stop> {
        self.file_opens = self.file_opens.saturating_add(1);
        if self.file_opens > self.file_opens_allowed {
            return Err(Stop::FileOpens { allowed: self.file_opens_allowed });
        }
        Ok(())
    }

    /// Whether the guest may go on, as far as host calls and what they moved are concerned.
    pub(crate) fn check(&self) -> Result<(), Stop> {
        if self.host_calls > self.host_calls_allowed {
            return Err(Stop::HostCalls { allowed: self.host_calls_allowed });
        }
        self.traffic.check()?;
        self.check_bytes()
    }

    fn check_bytes(&self) -> Result<(), Stop> {
        if self.bytes() > self.moved.allowed {
            return Err(Stop::HostCallBytes { allowed: self.moved.allowed });
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

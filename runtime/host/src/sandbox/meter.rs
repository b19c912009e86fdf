//! What a guest uses: memory and tables, host calls and the bytes they move.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use skillhall_core::capability::sockets::Protocol;
use wasmtime::{ResourceLimiter, Result};

use super::stop::Stop;
use super::tools::{Called, Rest, Spent};
use super::traffic::{KEPT, Traffic};
use super::{Bounds, Reached, Refusal};

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
    written: Moved,
    file_opens: u64,
    file_opens_allowed: u64,
    sockets: u64,
    sockets_allowed: u64,
    reached: Vec<Reached>,
    value_depth: u64,
    value_elements: u64,
    traffic: Arc<Traffic>,
    refusals: Vec<Refusal>,
    calls: Calls,
}

/// Calls of other skills, and what goes with them.
#[derive(Debug)]
struct Calls {
    made: u64,
    allowed: u64,
    kept: Vec<Called>,
    /// When the time is over.
    deadline: Instant,
    /// What was left of the fuel when the guest last called the host.
    fuel: Option<u64>,
    /// Fuel that called skills used, and that is not taken yet.
    owed: u64,
}

/// Bytes that went through the host, or into files. A stream, which outlives the call that made it, counts on its own copy.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    bytes: Arc<AtomicU64>,
    allowed: u64,
    /// What ends the run that moves more.
    over: fn(u64) -> Stop,
}

impl Moved {
    /// Counts bytes that the host moves.
    pub(crate) fn moving(&self, bytes: u64) -> Result<(), Stop> {
        let before = self.bytes.fetch_update(Relaxed, Relaxed, |before| Some(before.saturating_add(bytes)));
        if before.unwrap_or_else(|before| before).saturating_add(bytes) > self.allowed {
            return Err((self.over)(self.allowed));
        }
        Ok(())
    }

    fn counting(allowed: u64, over: fn(u64) -> Stop) -> Self {
        Self { bytes: Arc::default(), allowed, over }
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }
}

impl Meter {
    pub(crate) fn new(bounds: &Bounds) -> Self {
        let now = Instant::now();
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
            moved: Moved::counting(bounds.host_call_bytes, |allowed| Stop::HostCallBytes { allowed }),
            written: Moved::counting(bounds.file_bytes, |allowed| Stop::FileBytes { allowed }),
            file_opens: 0,
            file_opens_allowed: bounds.file_opens,
            sockets: 0,
            sockets_allowed: bounds.sockets,
            reached: Vec::new(),
            value_depth: 0,
            value_elements: 0,
            traffic: Arc::new(Traffic::new(bounds.http)),
            refusals: Vec::new(),
            calls: Calls {
                made: 0,
                allowed: bounds.tool_calls,
                kept: Vec::new(),
                deadline: now.checked_add(Duration::from_millis(bounds.time_ms)).unwrap_or(now),
                fuel: None,
                owed: 0,
            },
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

    /// The count of bytes that are put into files.
    pub(crate) fn written(&self) -> Moved {
        self.written.clone()
    }

    /// How many bytes were put into files, or made them longer.
    pub(crate) fn file_bytes(&self) -> u64 {
        self.written.bytes()
    }

    /// Counts a file or folder that is about to be opened or made.
    pub(crate) fn opening(&mut self) -> Result<(), Stop> {
        self.file_opens = self.file_opens.saturating_add(1);
        if self.file_opens > self.file_opens_allowed {
            return Err(Stop::FileOpens { allowed: self.file_opens_allowed });
        }
        Ok(())
    }

    /// Notes how large a value is that goes in or comes out.
    pub(crate) fn value(&mut self, depth: u64, elements: u64) {
        self.value_depth = self.value_depth.max(depth);
        self.value_elements = self.value_elements.max(elements);
    }

    /// The deepest nesting of a value, and the most elements of one.
    pub(crate) fn values(&self) -> (u64, u64) {
        (self.value_depth, self.value_elements)
    }

    /// How many sockets were made.
    pub(crate) fn sockets(&self) -> u64 {
        self.sockets
    }

    /// What sockets had to do with which address: the first of them, if they are many.
    pub(crate) fn reached_addresses(&self) -> &[Reached] {
        &self.reached
    }

    /// Counts a socket that is about to be made.
    pub(crate) fn making_socket(&mut self) -> Result<(), Stop> {
        self.sockets = self.sockets.saturating_add(1);
        if self.sockets > self.sockets_allowed {
            return Err(Stop::Sockets { allowed: self.sockets_allowed });
        }
        Ok(())
    }

    /// Keeps for the receipt that a socket was to reach this address.
    pub(crate) fn reached(&mut self, protocol: Protocol, address: SocketAddr, allowed: bool) {
        let address = format!("{protocol} {address}");
        let count = |reached: &mut Reached| {
            let figure = if allowed { &mut reached.used } else { &mut reached.refused };
            *figure = figure.saturating_add(1);
        };
        if let Some(reached) = self.reached.iter_mut().find(|reached| reached.address == address) {
            count(reached);
        } else if self.reached.len() < KEPT {
            let mut reached = Reached { address, used: 0, refused: 0 };
            count(&mut reached);
            self.reached.push(reached);
        }
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

    /// Counts a call of another skill that is about to be made.
    pub(crate) fn calling(&mut self) -> Result<(), Stop> {
        self.calls.made = self.calls.made.saturating_add(1);
        if self.calls.made > self.calls.allowed {
            return Err(Stop::ToolCalls { allowed: self.calls.allowed });
        }
        Ok(())
    }

    /// Keeps a call that begins.
    pub(crate) fn called(&mut self, called: Called) {
        self.calls.kept.push(called);
    }

    /// Keeps how the call ended that began last.
    pub(crate) fn answered(&mut self, called: Called) {
        if let Some(last) = self.calls.kept.last_mut() {
            *last = called;
        }
    }

    /// The calls of other skills: as many as a run may make, since each is counted before it is kept.
    pub(crate) fn calls(&self) -> &[Called] {
        &self.calls.kept
    }

    /// How many calls of other skills were made, those of called skills among them.
    pub(crate) fn tool_calls(&self) -> u64 {
        self.calls.made
    }

    /// What is left of the budgets, `output_bytes` of that one.
    pub(crate) fn rest(&self, output_bytes: u64) -> Rest {
        let (http, left) = (self.traffic.allowed(), self.calls.deadline.saturating_duration_since(Instant::now()));
        Rest {
            time_ms: u64::try_from(left.as_millis()).unwrap_or(u64::MAX),
            fuel: self.calls.fuel,
            memory_bytes: self.memory_allowed.saturating_sub(self.memory_now),
            output_bytes,
            host_calls: self.host_calls_allowed.saturating_sub(self.host_calls),
            host_call_bytes: self.moved.allowed.saturating_sub(self.bytes()),
            file_opens: self.file_opens_allowed.saturating_sub(self.file_opens),
            file_bytes: self.written.allowed.saturating_sub(self.file_bytes()),
            sockets: self.sockets_allowed.saturating_sub(self.sockets),
            http_requests: http.requests.saturating_sub(self.traffic.requests()),
            http_bytes: http.bytes.saturating_sub(self.traffic.bytes()),
            tool_calls: self.calls.allowed.saturating_sub(self.calls.made),
        }
    }

    /// Takes what a called skill used from what is left.
    pub(crate) fn spend(&mut self, spent: &Spent) -> Result<(), Stop> {
        self.calls.owed = self.calls.owed.saturating_add(spent.fuel);
        self.calls.made = self.calls.made.saturating_add(spent.tool_calls);
        self.memory_peak = self.memory_peak.max(self.memory_now.saturating_add(spent.memory_peak_bytes));
        self.host_calls = self.host_calls.saturating_add(spent.host_calls);
        // Their fuel is among what the called skill used.
        self.host_calls_charged = self.host_calls_charged.saturating_add(spent.host_calls);
        self.file_opens = self.file_opens.saturating_add(spent.file_opens);
        self.sockets = self.sockets.saturating_add(spent.sockets);
        self.traffic.spend(spent.http_requests, spent.http_bytes);
        self.written.moving(spent.file_bytes)?;
        self.moving(spent.host_call_bytes.saturating_sub(spent.http_bytes))
    }

    /// Says how much fuel is left while the guest is in the host.
    pub(crate) fn fuel_left(&mut self, fuel: u64) {
        self.calls.fuel = Some(fuel);
    }

    /// Fuel that called skills used since this was last asked.
    pub(crate) fn take_owed_fuel(&mut self) -> u64 {
        std::mem::take(&mut self.calls.owed)
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

#[cfg(test)]
mod tests {
    use super::super::traffic::Allowance;
    use super::*;

    fn meter() -> Meter {
        let http = Allowance { requests: 5, bytes: 500, time: Duration::from_secs(1) };
        Meter::new(&Bounds {
            sockets: 1,
            time_ms: 60_000,
            memory_bytes: 1000,
            output_bytes: 0,
            host_calls: 100,
            host_call_bytes: 10_000,
            file_opens: 10,
            file_bytes: 12,
            handles: 0,
            instances: 0,
            tables: 0,
            tool_calls: 3,
            http,
        })
    }

    #[test]
    fn what_a_called_skill_used_is_taken_from_what_is_left() {
        let mut meter = meter();
        meter.grow(400).unwrap();
        meter.fuel_left(70);
        meter.host_call();
        meter.calling().unwrap();
        let rest = meter.rest(30);
        assert!((59_000..=60_000).contains(&rest.time_ms));
        assert_eq!((rest.fuel, rest.memory_bytes, rest.output_bytes, rest.tool_calls), (Some(70), 600, 30, 2));
        let spent = Spent {
            fuel: 11,
            memory_peak_bytes: 500,
            output_bytes: 1,
            host_calls: 20,
            host_call_bytes: 300,
            file_opens: 4,
            file_bytes: 4,
            sockets: 1,
            http_requests: 2,
            http_bytes: 100,
            tool_calls: 1,
        };
        meter.spend(&spent).unwrap();
        let after = rest.after(&spent);
        let left = Rest { time_ms: rest.time_ms, fuel: after.fuel, output_bytes: after.output_bytes, ..meter.rest(0) };
        assert_eq!(left, after, "all but time, fuel and output is counted here");
        assert_eq!((meter.memory_peak(), meter.take_owed_fuel(), meter.take_owed_fuel()), (900, 11, 0));
        assert_eq!(meter.uncharged_host_calls(), 1, "the called skill has paid for its own");
        meter.calling().unwrap();
        assert_eq!(meter.calling(), Err(Stop::ToolCalls { allowed: 3 }));
    }

    #[test]
    fn too_much_by_both_is_too_much() {
        let mut one = meter();
        one.spend(&Spent { http_requests: 6, ..Spent::default() }).unwrap();
        assert_eq!(one.check(), Err(Stop::HttpRequests { allowed: 5 }));
        let mut one = meter();
        assert_eq!(
            one.spend(&Spent { host_call_bytes: 10_001, ..Spent::default() }),
            Err(Stop::HostCallBytes { allowed: 10_000 })
        );
        let mut one = meter();
        one.spend(&Spent { host_calls: 101, file_opens: 10, ..Spent::default() }).unwrap();
        assert_eq!(one.check(), Err(Stop::HostCalls { allowed: 100 }));
        assert_eq!(one.opening(), Err(Stop::FileOpens { allowed: 10 }));
    }
}

//! What a guest in a worker did outside, in the account of its parent, who did it: what is left of the run's budgets, and what the
//! receipt says of it. The worker counts as well, to stop its guest where it would be stopped elsewhere; that is not believed.

use std::collections::BTreeMap;
use std::sync::Arc;

use skillhall_core::stores::Usage;

use crate::engine::{Order, Outcome, Resources, Told, Used};
use crate::sandbox::meter::Meter;
use crate::sandbox::tools::{self, Called, Request};
use crate::sandbox::{Link, Refusal, Requested, Traffic};

/// The most parts of what is done with a stream in one call of the host: `blocking-write-and-flush` waits, asks, writes, flushes,
/// waits and asks, and what it writes may go in several pieces.
const PARTS: u64 = 64;

/// The account of one run.
pub(super) struct Account<'a> {
    order: &'a Order,
    meter: Meter,
    usage: BTreeMap<String, Usage>,
    /// Whether a called skill runs.
    calling: bool,
    parts: u64,
    /// What called skills used of what is not counted on this side.
    fuel: u64,
    output_bytes: u64,
    network_bytes: u64,
}

impl<'a> Account<'a> {
    pub(super) fn new(order: &'a Order) -> Self {
        let mut meter = Meter::new(&order.limits.bounds());
        if let Some(fuel) = order.limits.fuel {
            meter.fuel_left(fuel);
        }
        let usage = BTreeMap::new();
        Self { order, meter, usage, calling: false, parts: 0, fuel: 0, output_bytes: 0, network_bytes: 0 }
    }

    /// What goes over the network.
    pub(super) fn traffic(&self) -> &Arc<Traffic> {
        self.meter.traffic()
    }

    /// How many bytes the run's own requests have moved.
    pub(super) fn own_network_bytes(&self) -> u64 {
        self.meter.traffic().bytes().saturating_sub(self.network_bytes)
    }

    /// Counts something that was asked.
    pub(super) fn asked(&mut self) -> Result<(), &'static str> {
        self.meter.host_call();
        if self.meter.host_calls() > self.order.limits.host_calls {
            return Err("asked more often than it may");
        }
        Ok(())
    }

    /// Counts something that is asked several times for one call of the host: by far not as often as the host may be called.
    pub(super) fn asked_part(&mut self) -> Result<(), &'static str> {
        self.parts = self.parts.saturating_add(1);
        if self.parts > self.order.limits.host_calls.saturating_add(1).saturating_mul(PARTS) {
            return Err("asked more often than it may");
        }
        Ok(())
    }

    /// Where sockets are counted.
    pub(super) fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }

    /// Counts bytes that came out of the guest.
    pub(super) fn sent(&self, bytes: u64) -> Result<(), &'static str> {
        self.meter.moved().moving(bytes).map_err(|_| "moved more bytes than it may")
    }

    /// Counts bytes that are brought into the guest. Those that are too many are seen when it asks again.
    fn brought(&self, bytes: u64) {
        let _ = self.meter.moved().moving(bytes);
    }

    /// Keeps what a store holds after an operation that brought so many bytes.
    pub(super) fn kept(&mut self, store: String, usage: Usage, bytes: u64) {
        self.brought(bytes);
        self.usage.insert(store, usage);
    }

    pub(super) fn refused(&mut self, refusal: Refusal) {
        self.meter.refused(refusal);
    }

    /// Counts a call of another skill that is about to be made, and cuts what it may use to what is left.
    pub(super) fn calls(&mut self, mut request: Request) -> Result<Request, &'static str> {
        if self.calling {
            return Err("called a skill while another ran that it had called");
        }
        self.meter.calling().map_err(|_| "called other skills more often than it may")?;
        self.sent(request.bytes())?;
        self.calling = true;
        let output_bytes = self.order.limits.output_bytes.saturating_sub(self.output_bytes);
        request.rest = request.rest.within(&self.meter.rest(output_bytes));
        self.meter.called(Called::begun(&request));
        Ok(request)
    }

    /// Takes what a called skill used from what is left; gives what the guest is told.
    pub(super) fn called(&mut self, answer: tools::Answer) -> super::wire::Answer {
        let brought = answer.bytes();
        let tools::Answer { end, spent, called, refusal } = answer;
        self.calling = false;
        self.meter.answered(called);
        // It had no more than was left.
        let _ = self.meter.spend(&spent);
        self.fuel = self.fuel.saturating_add(self.meter.take_owed_fuel());
        if let Some(fuel) = self.order.limits.fuel {
            self.meter.fuel_left(fuel.saturating_sub(self.fuel));
        }
        self.output_bytes = self.output_bytes.saturating_add(spent.output_bytes);
        self.network_bytes = self.network_bytes.saturating_add(spent.http_bytes);
        if let Some(refusal) = refusal {
            self.meter.refused(*refusal);
        }
        self.brought(brought);
        super::wire::Answer::Called { end, spent }
    }

    /// Counts what the worker held back because it was one too many: it says so itself, and cannot say more.
    pub(super) fn one_too_many(&mut self, http: &[Requested], told: &Resources) {
        let (limits, links) = (&self.order.limits, self.order.links);
        if links.http == Link::Granted && self.traffic().requests() == limits.http_requests {
            let known = self.traffic().origins();
            let of = |origin: &str| known.iter().find(|known| known.origin == origin).map_or(0, |known| known.requests);
            if let Some(more) = http.iter().find(|told| told.requests > of(&told.origin)) {
                // It is over the budget, which is what it says.
                let _ = self.traffic().request(&more.origin);
            }
        }
        let is_over = |told: Option<Used>, allowed: u64| told.is_some_and(|told| told.used > allowed);
        if links.tools == Link::Granted
            && self.meter.tool_calls() == limits.tool_calls
            && is_over(told.tool_calls, limits.tool_calls)
        {
            // As above.
            let _ = self.meter.calling();
        }
    }

    /// Puts into an outcome what is known here.
    pub(super) fn tell(&self, outcome: &mut Outcome) {
        self.used(&mut outcome.resources);
        let Told { http, calls, sockets, .. } = self.told(outcome.resources);
        (outcome.http, outcome.calls, outcome.sockets) = (http, calls, sockets);
        outcome.refusals = self.meter.refusals();
    }

    /// What was done, beside these figures.
    pub(super) fn told(&self, used: Resources) -> Told {
        Told {
            used,
            http: self.traffic().origins(),
            calls: self.meter.calls().to_vec(),
            sockets: self.meter.reached_addresses().to_vec(),
        }
    }

    /// Puts the figures in that are known here. Of those that only the worker knows, what was done outside is the least that they
    /// can be.
    pub(super) fn used(&self, resources: &mut Resources) {
        let (limits, links, meter) = (&self.order.limits, self.order.links, &self.meter);
        let least = |figure: &mut Used, used: u64| figure.used = figure.used.max(used);
        if let Some(fuel) = &mut resources.fuel {
            least(fuel, self.fuel);
        }
        least(&mut resources.memory_peak_bytes, meter.memory_peak());
        least(&mut resources.output_bytes, self.output_bytes);
        least(&mut resources.host_calls, meter.host_calls());
        least(&mut resources.host_call_bytes, meter.bytes());
        if links.files == Link::Granted || meter.file_opens() > 0 {
            let opens = resources.file_opens.get_or_insert(Used { used: 0, allowed: limits.file_opens });
            least(opens, meter.file_opens());
            // Those of called skills: its own, only the worker knows.
            if let Some(bytes) = &mut resources.file_bytes {
                least(bytes, meter.file_bytes());
            }
        }
        if links.sockets == Link::Granted {
            resources.sockets = Some(Used { used: meter.sockets(), allowed: limits.sockets });
        }
        if links.tools == Link::Granted {
            resources.tool_calls = Some(Used { used: meter.tool_calls(), allowed: limits.tool_calls });
        }
        if links.http == Link::Granted || self.traffic().requests() > 0 {
            resources.http_requests = Some(Used { used: self.traffic().requests(), allowed: limits.http_requests });
            resources.http_bytes = Some(Used { used: self.traffic().bytes(), allowed: limits.http_bytes });
        }
        let quotas = &self.order.given.keyvalue;
        let used = self.usage.iter().filter_map(|(store, usage)| Some((usage, quotas.iter().find(|one| one.store == *store)?)));
        for (usage, quota) in used {
            let add = |sum: Option<Used>, used: u64, allowed: u64| {
                let sum = sum.unwrap_or_default();
                Some(Used { used: sum.used.saturating_add(used), allowed: sum.allowed.saturating_add(allowed) })
            };
            resources.keyvalue_bytes = add(resources.keyvalue_bytes, usage.bytes, quota.bytes);
            resources.keyvalue_entries = add(resources.keyvalue_entries, usage.entries, quota.entries);
        }
    }
}

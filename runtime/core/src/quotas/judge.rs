//! Whether a call is within the figures, and what is told if it is not. Pure.

use std::fmt;

use super::{Claim, Counted, Figures, Quota};
use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::OrgId;

/// A quota that a call would exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Excess {
    /// Which.
    pub quota: Quota,
    /// What is used, in the quota's unit.
    pub used: u64,
    /// What runs hold that go on.
    pub held: u64,
    /// What the call asked for.
    pub claimed: u64,
    /// What is allowed.
    pub allowed: u64,
    /// When it is free again, at the latest, if nothing else is let in. `None`: under these figures the call never is.
    pub free_at: Option<Timestamp>,
}

/// The first quota that a call would exceed.
#[must_use]
pub fn over(figures: &Figures, counted: &Counted, claim: Claim) -> Option<Excess> {
    Quota::ALL.iter().find_map(|quota| {
        let allowed = figures.allowed(*quota)?;
        let (used, held, claimed) = match quota {
            Quota::CallsPerMinute => (counted.calls, 0, 1),
            Quota::ConcurrentRuns => (counted.runs, 0, 1),
            Quota::GuestSeconds => (counted.time_us, counted.held_time_us, claim.time_us),
            Quota::Bytes => (counted.bytes, counted.held_bytes, claim.bytes),
        };
        // A run within another claims nothing, and what holds for the outer one holds for it.
        let fits = claimed == 0 || used.saturating_add(held).saturating_add(claimed) <= allowed;
        let ended = counted.next_end_at;
        let free_at = match quota {
            _ if claimed > allowed => None,
            Quota::CallsPerMinute => counted.next_call_at,
            Quota::ConcurrentRuns => ended,
            _ if used.saturating_add(claimed) <= allowed => ended.map(|at| at.min(counted.day_ends_at)),
            _ => Some(counted.day_ends_at),
        };
        (!fits).then_some(Excess { quota: *quota, used, held, claimed, allowed, free_at })
    })
}

impl Excess {
    /// The denial of the call.
    #[must_use]
    pub fn denial(&self, organisation: &OrgId) -> Denial {
        let denial = Denial::new(Code::QuotaExceeded, format!("the organisation {organisation} {self}"))
            .detail("organisation", organisation.as_str())
            .detail("quota", self.quota.as_str())
            .detail("unit", self.quota.unit())
            .detail("used", exact(self.used))
            .detail("held", exact(self.held))
            .detail("claimed", exact(self.claimed))
            .detail("allowed", exact(self.allowed));
        match self.free_at {
            Some(at) => denial.detail("free_at", at.to_string()),
            None => denial.advise(
                "One run of this skill may use more than the whole quota. Its operator can raise the quota, or lower what a run \
                 may use: [quotas] and [limits] in hall.toml.",
            ),
        }
    }
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { quota, used, held, claimed, allowed, free_at } = self;
        match quota {
            Quota::CallsPerMinute => write!(f, "has made {used} of {allowed} calls a minute")?,
            Quota::ConcurrentRuns => write!(f, "has {used} of {allowed} runs going on")?,
            Quota::GuestSeconds => {
                write!(f, "has used {} of {} s of guest time today", seconds(*used), seconds(*allowed))?;
                day(f, &seconds(*held), &seconds(*claimed), *claimed, " s")?;
            }
            Quota::Bytes => {
                write!(f, "has used {used} of {allowed} bytes today")?;
                day(f, &held.to_string(), &claimed.to_string(), *claimed, "")?;
            }
        }
        match free_at {
            Some(at) => write!(f, " (quota {}); free again at {at}", quota.as_str()),
            None => write!(f, " (quota {})", quota.as_str()),
        }
    }
}

/// The figure, cut to the largest number that every reader of JSON reads alike: a record has no other.
fn exact(figure: u64) -> u64 {
    figure.min((1 << 53) - 1)
}

/// What is held, and what is claimed if that is known.
fn day(f: &mut fmt::Formatter<'_>, held: &str, claimed: &str, claim: u64, unit: &str) -> fmt::Result {
    write!(f, ", and runs that go on hold {held}{unit}")?;
    if claim > Claim::LEAST.bytes { write!(f, "; this one may use {claimed}{unit}") } else { Ok(()) }
}

fn seconds(microseconds: u64) -> String {
    let (whole, millis) = (microseconds / 1_000_000, microseconds % 1_000_000 / 1_000);
    if millis == 0 { whole.to_string() } else { format!("{whole}.{millis:03}") }
}

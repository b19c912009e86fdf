//! How much an organisation has had run, held against how much it may: counted for all processes of a hall together.
//!
//! A call takes its share right before its decision is recorded, and settles when its run has ended. While a run goes on it
//! holds all that its own limits let it use of a day's figures, so those are never passed, whatever runs at once. What a run
//! of a process that died has used is not known; all that it held counts as used, and its place is free again.

mod figures;
mod judge;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::id::OrgId;

pub use figures::{Figures, Quota, QuotasSection};
pub use judge::{Excess, over};

/// What a run may use at most of the figures of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Claim {
    /// Guest time in microseconds.
    pub time_us: u64,
    /// Bytes of input, output and host calls.
    pub bytes: u64,
}

impl Claim {
    /// Of a run within another that holds what both use.
    pub const WITHIN: Self = Self { time_us: 0, bytes: 0 };
    /// Of a call of which no more is known yet than that it would use something.
    pub const LEAST: Self = Self { time_us: 1, bytes: 1 };

    /// What a run used, as the figures of its record say it.
    #[must_use]
    pub fn used(resources: &Map<String, Value>) -> Self {
        let used = |name: &str| resources.get(name).and_then(|figure| figure.get("used")?.as_u64()).unwrap_or_default();
        let bytes = ["input_bytes", "output_bytes", "host_call_bytes"].map(used);
        Self { time_us: used("wall_us"), bytes: bytes.into_iter().fold(0, u64::saturating_add) }
    }
}

/// What a run used of the figures of a day.
pub type Spent = Claim;

/// What is counted of an organisation at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// Calls of the last sixty seconds.
    pub calls: u64,
    /// When the oldest of them stops counting.
    pub next_call_at: Option<Timestamp>,
    /// Runs that go on.
    pub runs: u64,
    /// When the first of them has to end.
    pub next_end_at: Option<Timestamp>,
    /// Guest time of the runs of today that have ended, in microseconds.
    pub time_us: u64,
    /// Guest time that runs hold that go on, in microseconds.
    pub held_time_us: u64,
    /// Bytes of the runs of today that have ended.
    pub bytes: u64,
    /// Bytes that runs hold that go on.
    pub held_bytes: u64,
    /// When the day ends: midnight, UTC.
    pub day_ends_at: Timestamp,
}

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

impl Counted {
    /// Nothing, at this moment.
    #[must_use]
    pub fn nothing(now: Timestamp) -> Self {
        let day = now.millis().div_euclid(DAY_MS);
        Self {
            calls: 0,
            next_call_at: None,
            runs: 0,
            next_end_at: None,
            time_us: 0,
            held_time_us: 0,
            bytes: 0,
            held_bytes: 0,
            day_ends_at: Timestamp::from_millis(day.saturating_add(1).saturating_mul(DAY_MS)),
        }
    }
}

/// A share is not given.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// The organisation has had what it may have.
    #[error("{0}")]
    Exceeded(Excess),
    /// It cannot be counted, so nothing is given.
    #[error("what the organisation has used cannot be counted: {0}")]
    Unavailable(String),
}

impl QuotaError {
    /// The denial of a call that gets no share.
    #[must_use]
    pub fn denial(&self, organisation: &OrgId) -> Denial {
        match self {
            Self::Exceeded(excess) => excess.denial(organisation),
            Self::Unavailable(_) => {
                Denial::new(Code::QuotaUnavailable, self.to_string()).detail("organisation", organisation.as_str())
            }
        }
    }
}

/// Where shares are counted.
pub trait Quotas: Send + Sync {
    /// What is counted of an organisation now, if a call with this claim would be within the figures. Nothing is taken.
    ///
    /// # Errors
    /// [`QuotaError`].
    fn look(&self, organisation: &OrgId, figures: &Figures, claim: Claim, now: Timestamp) -> Result<Counted, QuotaError>;

    /// Takes a share for a run under this id, if the figures allow it: of any number that try at once, no more get one than
    /// there are. It is durable when this returns.
    ///
    /// # Errors
    /// [`QuotaError`]; then nothing was taken.
    fn take(&self, run: &str, organisation: &OrgId, figures: &Figures, claim: Claim, now: Timestamp) -> Result<(), QuotaError>;

    /// Gives a run's place back, and counts what it used instead of what it held. What cannot be written now is written before
    /// the next share is given; should the process end before that, what the run held counts.
    fn settle(&self, run: &str, spent: Spent);
}

/// The quotas of a host that has nowhere to count: where a quota is configured, nothing is given.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoQuotas;

impl Quotas for NoQuotas {
    fn look(&self, _: &OrgId, _: &Figures, _: Claim, _: Timestamp) -> Result<Counted, QuotaError> {
        Err(nowhere())
    }

    fn take(&self, _: &str, _: &OrgId, _: &Figures, _: Claim, _: Timestamp) -> Result<(), QuotaError> {
        Err(nowhere())
    }

    fn settle(&self, _: &str, _: Spent) {}
}

fn nowhere() -> QuotaError {
    QuotaError::Unavailable("this host has nowhere to count".to_owned())
}

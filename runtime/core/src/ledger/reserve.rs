//! Before gate 11: the call takes its share of the caller's quotas, or is denied.
//!
//! [`Reserved`] is a gate type: only [`reserve`] makes one, for one admission, and [`record`](super::record) takes it by value.
//! What it holds is counted as used, by what the run used, when the run's record is closed; if the call is never recorded, its
//! place is given back and nothing but the call itself counts.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::denial::Denial;
use crate::govern::config::HallConfig;
use crate::govern::decide::Admission;
use crate::quotas::{Claim, Quotas, Spent};

/// The share of one call, or nothing where no quota counts it.
pub struct Reserved {
    run: String,
    taken: Option<Taken>,
}

struct Taken {
    quotas: Arc<dyn Quotas>,
    /// Whether what the run uses counts here, and not as part of the run that called it.
    counts: bool,
}

/// Takes the share of a call. `claim` says what its run may use at most; a run that another one called is within that one's.
///
/// # Errors
/// `DENY_QUOTA_EXCEEDED`; `DENY_QUOTA_UNAVAILABLE` if it cannot be counted.
pub fn reserve(
    quotas: &Arc<dyn Quotas>,
    config: &HallConfig,
    admission: &Admission,
    claim: impl FnOnce() -> Claim,
) -> Result<Reserved, Denial> {
    let (organisation, facts) = (&admission.caller().organisation, admission.facts());
    let run = facts.decision_id.clone();
    let figures = config.quotas.of(organisation);
    if figures.is_none() {
        return Ok(Reserved { run, taken: None });
    }
    let counts = admission.call().chain.is_empty();
    let claim = if counts { claim() } else { Claim::WITHIN };
    quotas.take(&run, organisation, &figures, claim, facts.at).map_err(|error| error.denial(organisation))?;
    let taken = figures.counts_runs().then(|| Taken { quotas: quotas.clone(), counts });
    Ok(Reserved { run, taken })
}

impl Reserved {
    /// Whether this is the share of that decision.
    pub(super) fn is_of(&self, decision_id: &str) -> bool {
        self.run == decision_id
    }

    /// Counts what the run used, as its record says it.
    pub(super) fn settle(mut self, resources: &Map<String, Value>) {
        if let Some(Taken { quotas, counts }) = self.taken.take() {
            let spent = if counts { Spent::used(resources) } else { Spent::WITHIN };
            quotas.settle(&self.run, spent);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        // It was never recorded, so nothing ran.
        if let Some(Taken { quotas, .. }) = self.taken.take() {
            quotas.settle(&self.run, Spent::WITHIN);
        }
    }
}

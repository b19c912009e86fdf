//! The last step of gate 6: the caller's organisation has something left of its quotas. What it is then given is taken right
//! before the decision is recorded ([`reserve`](crate::ledger::reserve)).

use crate::clock::Timestamp;
use crate::denial::Denial;
use crate::quotas::Claim;

use super::call::{Call, Caller};
use super::decide::Policy;

/// Looks, and takes nothing. Where no quota is configured, nothing is asked.
pub(super) fn within_quota(caller: &Caller, call: &Call, policy: &Policy<'_>, now: Timestamp) -> Result<(), Denial> {
    let organisation = &caller.organisation;
    let figures = policy.config.quotas.of(organisation);
    if figures.is_none() {
        return Ok(());
    }
    // What a skill calls is within what its own run holds.
    let claim = if call.chain.is_empty() { Claim::LEAST } else { Claim::WITHIN };
    let looked = policy.quotas.look(organisation, &figures, claim, now);
    looked.map(drop).map_err(|error| error.denial(organisation))
}

//! What was called, refused and used, by organisation and skill, as the ledger tells it.
//!
//! It is read record by record; what is kept of it does not grow with the ledger.

use std::collections::{BTreeMap, HashSet};

use cap_std::fs::Dir;
use serde::Serialize;

use super::event::{Decision, Event, EventKind};
use super::read::read;
use super::scan::ScanError;
use crate::clock::Timestamp;
use crate::denial::Code;
use crate::failure::FailureCode;
use crate::id::OrgId;
use crate::quotas::Claim;

/// The most organisations, and the most skills of all of them together, that are told each by itself.
pub const MOST_NAMES: usize = 1000;

/// What was counted of something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Calls that were let in.
    pub allowed: u64,
    /// Calls that were denied.
    pub denied: u64,
    /// With which codes.
    pub denials: BTreeMap<Code, u64>,
    /// Runs that gave a result.
    pub done: u64,
    /// Runs that ended badly.
    pub failed: u64,
    /// With which codes.
    pub failures: BTreeMap<FailureCode, u64>,
    /// Guest time of the runs that ended, in microseconds: their wall clock, which is never less than processor time. The time of a
    /// run holds that of the runs that it called, so a sum counts outermost runs alone.
    pub guest_time_us: u64,
    /// Bytes of their inputs, outputs and host calls; summed as the time is.
    pub bytes: u64,
}

/// What was counted of an organisation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OfOrganisation {
    /// Of all its calls.
    pub total: Tally,
    /// Of its calls by skill.
    pub skills: BTreeMap<String, Tally>,
    /// Of its calls of skills beyond the first [`MOST_NAMES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_skills: Option<Tally>,
}

/// What the ledger tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageReport {
    /// By organisation.
    pub organisations: BTreeMap<String, OfOrganisation>,
    /// Of organisations beyond the first [`MOST_NAMES`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_organisations: Option<Tally>,
    /// Of calls of which nobody knows whose they were; each was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_nobody: Option<Tally>,
}

/// Which calls are counted; what is absent fits all.
#[derive(Clone, Debug, Default)]
pub struct Span {
    /// Of this organisation alone.
    pub organisation: Option<OrgId>,
    /// What happened at this time or later.
    pub since: Option<Timestamp>,
    /// What happened before this time.
    pub until: Option<Timestamp>,
}

/// Counts the calls that the ledger tells; dry runs are none.
///
/// # Errors
/// [`ScanError`].
pub fn usage(dir: &Dir, span: &Span) -> Result<UsageReport, ScanError> {
    let (mut report, mut within, mut names) = (UsageReport::default(), HashSet::new(), 0);
    for record in read(dir, 0)? {
        let event = record?.event;
        let is_within = nested(&event, &mut within);
        let counts = span.organisation.as_ref().is_none_or(|organisation| event.organisation.as_ref() == Some(organisation))
            && span.since.is_none_or(|since| event.time >= since)
            && span.until.is_none_or(|until| event.time < until)
            && !event.data.contains_key("dry_run");
        if !counts || !is_about_a_call(&event) {
            continue;
        }
        let Some(organisation) = &event.organisation else {
            report.of_nobody.get_or_insert_default().count(&event, is_within);
            continue;
        };
        let is_known = report.organisations.contains_key(organisation.as_str());
        if !is_known && report.organisations.len() >= MOST_NAMES {
            report.other_organisations.get_or_insert_default().count(&event, is_within);
            continue;
        }
        let of = report.organisations.entry(organisation.to_string()).or_default();
        of.total.count(&event, is_within);
        let skill = event.skill.as_ref().map(ToString::to_string).unwrap_or_default();
        if !of.skills.contains_key(&skill) && names >= MOST_NAMES {
            of.other_skills.get_or_insert_default().count(&event, is_within);
            continue;
        }
        names += usize::from(!of.skills.contains_key(&skill));
        // A skill's own time is its own, whoever called it.
        of.skills.entry(skill).or_default().count(&event, false);
    }
    Ok(report)
}

/// Whether the record is of a run within another. Only those that have not ended are kept in mind.
fn nested(event: &Event, within: &mut HashSet<String>) -> bool {
    let Some(id) = &event.decision_id else { return false };
    match (event.kind, event.decision) {
        (EventKind::SkillExecute, Some(Decision::Allow)) if event.data.contains_key("called_by") => within.insert(id.clone()),
        (EventKind::SkillComplete, _) => within.remove(id),
        _ => false,
    }
}

/// A decision, an end, or the denial of a call that a skill wanted to make and that came to no decision.
fn is_about_a_call(event: &Event) -> bool {
    match event.kind {
        EventKind::SkillExecute | EventKind::SkillComplete => true,
        EventKind::SkillDeny => event.decision_id.is_none() && event.data.contains_key("called_by"),
        _ => false,
    }
}

impl Tally {
    fn count(&mut self, event: &Event, is_within: bool) {
        match (event.kind, event.decision) {
            (EventKind::SkillExecute, Some(Decision::Allow)) => self.allowed += 1,
            (EventKind::SkillComplete, _) => {
                let used = Claim::used(&event.resources);
                if !is_within {
                    self.guest_time_us = self.guest_time_us.saturating_add(used.time_us);
                    self.bytes = self.bytes.saturating_add(used.bytes);
                }
                match event.failure {
                    Some(failure) => {
                        self.failed += 1;
                        *self.failures.entry(failure).or_default() += 1;
                    }
                    None => self.done += 1,
                }
            }
            _ => {
                self.denied += 1;
                if let Some(code) = event.code {
                    *self.denials.entry(code).or_default() += 1;
                }
            }
        }
    }
}

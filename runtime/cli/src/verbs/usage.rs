//! `hall usage`: what organisations had run here, and what is left of their quotas.

use clap::Args;
use serde_json::json;
use skillhall::hall::{Hall, QuotaState};
use skillhall_core::clock::Timestamp;
use skillhall_core::id::OrgId;
use skillhall_core::ledger::usage::{OfOrganisation, Span, Tally, UsageReport};
use skillhall_core::quotas::Quota;

use crate::error::Outcome;
use crate::hall::Place;
use crate::printer::{Printer, bad, bold, dim, shown};
use crate::verbs::audit::within;

/// Show what organisations had run here, by skill, and their quotas
#[derive(Args)]
#[command(
    after_help = "Calls, denials, failures, guest time and bytes are read from the ledger and need no quotas; where hall.toml has quotas, it shows how\nthey stand now. Guest time is the wall clock of runs. A run's time and bytes hold those of the skills that it called, so the sums\ncount outermost runs alone.\n\nExamples:\n  hall usage\n  hall usage --org acme --since 2026-01-01T00:00:00Z --json"
)]
pub(crate) struct Arguments {
    /// Only this organisation; without a name, the one that runs the hall
    #[arg(long, value_name = "ORG", num_args = 0..=1)]
    org: Option<Option<OrgId>>,
    /// Only what happened from this time on (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    since: Option<Timestamp>,
    /// Only what happened before this time (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    until: Option<Timestamp>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let own = || hall.config().hall.organisation.clone();
    let mut organisation = arguments.org.clone().map(|org| org.unwrap_or_else(own));
    within(&mut organisation, hall.auditor()?.as_ref(), &hall)?;
    let report = hall.usage(&Span { organisation: organisation.clone(), since: arguments.since, until: arguments.until })?;
    let mut quotas = Vec::new();
    for name in names(&report, &hall, organisation.as_ref()) {
        if let Some(state) = hall.quota(&name)? {
            quotas.push((name, state));
        }
    }
    let states = quotas.iter().map(|(name, state)| (name.to_string(), json!(state))).collect::<serde_json::Map<_, _>>();
    let mut object = json!(report);
    if let Some(members) = object.as_object_mut() {
        members.insert("quotas".into(), states.into());
    }
    printer.result(&object, || lines(&report, &quotas));
    Ok(())
}

/// Whose quotas are shown: of those that called, and of those that hall.toml names.
fn names(report: &UsageReport, hall: &Hall, only: Option<&OrgId>) -> Vec<OrgId> {
    if let Some(only) = only {
        return vec![only.clone()];
    }
    let mut names: Vec<OrgId> = report.organisations.keys().filter_map(|name| name.parse().ok()).collect();
    names.extend(hall.config().quotas.organisations.keys().cloned());
    names.sort();
    names.dedup();
    names
}

fn lines(report: &UsageReport, quotas: &[(OrgId, QuotaState)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, OfOrganisation { total, skills, other_skills }) in &report.organisations {
        lines.push(format!("{}  {}", bold(&shown(name)), sums(total)));
        lines.extend(codes(total));
        for (skill, tally) in skills {
            lines.push(format!("  {}  {}", shown(skill), dim(&sums(tally))));
        }
        lines.extend(other_skills.iter().map(|tally| format!("  other skills  {}", dim(&sums(tally)))));
    }
    lines.extend(report.other_organisations.iter().map(|tally| format!("other organisations  {}", sums(tally))));
    if let Some(tally) = &report.of_nobody {
        lines.push(format!("without a caller  {}", sums(tally)));
        lines.extend(codes(tally));
    }
    if lines.is_empty() {
        lines.push("nobody has called anything".into());
    }
    for (name, state) in quotas {
        lines.push(format!("quotas of {}", bold(name.as_str())));
        lines.extend(quota_lines(state));
    }
    lines
}

fn sums(tally: &Tally) -> String {
    format!(
        "{} allowed, {} denied, {} failed, {} s, {} bytes",
        tally.allowed,
        tally.denied,
        tally.failed,
        seconds(tally.guest_time_us),
        tally.bytes
    )
}

fn codes(tally: &Tally) -> Vec<String> {
    let denials = tally.denials.iter().map(|(code, count)| (code.as_str(), count));
    let failures = tally.failures.iter().map(|(code, count)| (code.as_str(), count));
    denials.chain(failures).map(|(code, count)| format!("  {} {count}", bad(code))).collect()
}

fn quota_lines(state: &QuotaState) -> Vec<String> {
    let counted = &state.counted;
    let of = |quota: &Quota| {
        let allowed = state.allowed.allowed(*quota)?;
        let (now, allowed) = match quota {
            Quota::CallsPerMinute => (counted.calls.to_string(), allowed.to_string()),
            Quota::ConcurrentRuns => (counted.runs.to_string(), allowed.to_string()),
            Quota::GuestSeconds => {
                (format!("{} + {} held", seconds(counted.time_us), seconds(counted.held_time_us)), seconds(allowed))
            }
            Quota::Bytes => (format!("{} + {} held", counted.bytes, counted.held_bytes), allowed.to_string()),
        };
        Some(format!("  {}  {now} of {allowed}", quota.as_str()))
    };
    Quota::ALL.iter().filter_map(of).collect()
}

fn seconds(microseconds: u64) -> String {
    format!("{}.{:03}", microseconds / 1_000_000, microseconds % 1_000_000 / 1_000)
}

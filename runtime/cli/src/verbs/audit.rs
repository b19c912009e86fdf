//! `hall audit`: reads the ledger, and shows that nobody changed it.

mod export;
mod filter;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skillhall::hall::Hall;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::id::OrgId;
use skillhall_core::json::sorted;
use skillhall_core::ledger::read::Filter;
use skillhall_core::ledger::{EventKind, Record};

use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::printer::{Printer, bad, bold, dim, good, shown};

use filter::Flags;

/// Read the ledger and show that nobody changed it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall audit list --skill org.skillhall/redact --limit 20\n  hall audit list --code DENY_SKILL_REVOKED --json\n  hall audit list --digest SHA256 --event skill.execute     # who ran this\n  hall audit show 42\n  hall audit verify --save-checkpoint head.note      # keep it elsewhere\n  hall audit verify --checkpoint head.note           # finds a cut or a rollback\n  hall audit export --since 2026-01-01T00:00:00Z > records.jsonl"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// List records, oldest first
    List(ListArguments),
    /// Read the whole ledger and name the first bad record, if there is one
    Verify(VerifyArguments),
    /// Show one record, or all records of one decision
    Show(ShowArguments),
    Export(export::Arguments),
}

#[derive(Args)]
struct ListArguments {
    #[command(flatten)]
    which: Flags,
    /// At most so many, the last ones
    #[arg(long, default_value_t = 50)]
    limit: usize,
}

#[derive(Args)]
struct VerifyArguments {
    /// A checkpoint that was kept elsewhere: the ledger has to continue it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Where to write the ledger's signed head, to be kept elsewhere
    #[arg(long, value_name = "FILE")]
    save_checkpoint: Option<PathBuf>,
}

#[derive(Args)]
struct ShowArguments {
    /// A record's sequence, or a decision id
    what: String,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    // Of another organisation than the one that runs the hall, an auditor reads its own records.
    let own = hall.auditor()?;
    match &arguments.what {
        What::List(arguments) => list(arguments, own.as_ref(), &hall, printer),
        What::Verify(_) | What::Export(_) if own.is_some() => Err(of_its_own_only(&hall)),
        What::Verify(arguments) => verify(arguments, &hall, printer),
        What::Show(arguments) => show(arguments, own.as_ref(), &hall, printer),
        What::Export(arguments) => export::run(arguments, &hall, printer),
    }
}

/// The refusal of what takes the whole ledger, for an auditor of another organisation than the one that runs the hall.
fn of_its_own_only(hall: &Hall) -> CommandError {
    let message = "the whole ledger is read by an auditor of the organisation that runs this hall; of another one, they read its own records";
    hall.deny(&hall.event(EventKind::SkillDeny, now()), Denial::new(Code::RoleMissing, message)).into()
}

/// Refuses whoever may not read the whole ledger.
pub(super) fn whole(hall: &Hall) -> Outcome<()> {
    if hall.auditor()?.is_some() { Err(of_its_own_only(hall)) } else { Ok(()) }
}

/// Keeps what is asked for to what may be read: `own`, if that is not everything.
pub(super) fn within(asked: &mut Option<OrgId>, own: Option<&OrgId>, hall: &Hall) -> Outcome<()> {
    match (asked.as_ref(), own) {
        (_, None) => {}
        (Some(other), Some(own)) if other != own => return Err(of_its_own_only(hall)),
        (_, Some(own)) => *asked = Some(own.clone()),
    }
    Ok(())
}

/// Whether a record is one that may be read.
fn is_seen(record: &Record, own: Option<&OrgId>) -> bool {
    own.is_none() || record.event.organisation.as_ref() == own
}

fn list(arguments: &ListArguments, own: Option<&OrgId>, hall: &Hall, printer: &Printer) -> Outcome<()> {
    let mut filter = Filter { limit: Some(arguments.limit), ..arguments.which.filter(hall)? };
    within(&mut filter.organisation, own, hall)?;
    let mut told = printer.list("records");
    hall.each_record(&filter, &mut |record| {
        told.entry(&value(&record), || line(&record));
        Ok(())
    })?;
    told.end();
    Ok(())
}

fn show(arguments: &ShowArguments, own: Option<&OrgId>, hall: &Hall, printer: &Printer) -> Outcome<()> {
    let mut records: Vec<Record> = if let Ok(sequence) = arguments.what.parse::<u64>() {
        hall.record(sequence)?.into_iter().collect()
    } else {
        hall.records(&Filter { decision_id: Some(arguments.what.clone()), ..Filter::default() })?
    };
    records.retain(|record| is_seen(record, own));
    if records.is_empty() {
        return Err(CommandError::usage(format!("there is no record {}", shown(&arguments.what)), "hall audit list"));
    }
    let object = json!({ "records": records.iter().map(value).collect::<Vec<_>>() });
    printer.result(&object, || {
        records.iter().map(|record| shown(&serde_json::to_string_pretty(&sorted(value(record))).unwrap_or_default())).collect()
    });
    Ok(())
}

fn verify(arguments: &VerifyArguments, hall: &Hall, printer: &Printer) -> Outcome<()> {
    let kept = kept(arguments.checkpoint.as_ref())?;
    let report = hall.audit(kept.as_deref())?;
    if let Some(path) = &arguments.save_checkpoint {
        std::fs::write(path, &report.checkpoint)
            .map_err(|error| CommandError::Fault(anyhow::Error::new(error).context("writing the checkpoint")))?;
    }
    printer.result(&json!(report), || {
        let mut lines =
            vec![format!("{} {} records, every one as it was written (files: {})", good("✓"), report.records, report.segments)];
        if let Some(size) = report.continues {
            lines.push(format!("{} it continues the kept checkpoint over {size} records", good("✓")));
        }
        for run in &report.interrupted {
            lines.push(format!(
                "{} decision {} (record {}) has no end: the run goes on, or was interrupted",
                bad("!"),
                run.decision_id,
                run.sequence
            ));
        }
        if let Some(torn) = &report.torn {
            lines.push(format!("{} the last append was never finished and never durable: {torn:?}", bad("!")));
        }
        lines
    });
    Ok(())
}

/// The checkpoint that was kept elsewhere.
fn kept(path: Option<&PathBuf>) -> Outcome<Option<String>> {
    let kept = path.map(std::fs::read_to_string).transpose();
    kept.map_err(|error| CommandError::usage(format!("the kept checkpoint cannot be read: {error}"), "give its file"))
}

fn value(record: &Record) -> Value {
    record.to_value().unwrap_or_default()
}

fn line(record: &Record) -> String {
    let event = &record.event;
    let skill = event.skill.as_ref().map(ToString::to_string).unwrap_or_default();
    let skill = match (&event.skill, event.data.get("target")) {
        (None, Some(target)) => shown(&target.to_string()),
        _ => skill,
    };
    let version = event.version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
    // By which call of a skill it came about, the innermost.
    let above = event.data.get("called_by").and_then(|chain| chain.as_array()?.last()?.get("skill")?.as_str());
    let above = above.map(|skill| dim(&shown(&format!(" called by {skill}")))).unwrap_or_default();
    let verdict = match (event.code, event.decision, event.failure) {
        (Some(code), _, _) => bad(code.as_str()),
        (None, Some(decision), _) => good(&format!("{decision:?}").to_uppercase()),
        (None, None, Some(failure)) => bad(failure.as_str()),
        (None, None, None) => event.end.map(|end| good(&format!("{end:?}").to_lowercase())).unwrap_or_default(),
    };
    format!(
        "{:>6}  {}  {:<18} {} {verdict}{above}",
        record.sequence,
        dim(&event.time.to_string()),
        event.kind.as_str(),
        bold(&(skill + &version))
    )
}

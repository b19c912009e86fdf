//! `hall audit`: reads the ledger, and shows that nobody changed it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skillhall::hall::Hall;
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Code;
use skillhall_core::id::SkillId;
use skillhall_core::json::sorted;
use skillhall_core::ledger::read::Filter;
use skillhall_core::ledger::{EventKind, Record};

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bad, bold, dim, good, shown};

/// Read the ledger and show that nobody changed it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall audit list --skill org.skillhall/redact --limit 20\n  hall audit list --code DENY_SKILL_REVOKED --json\n  hall audit show 42\n  hall audit verify --save-checkpoint head.note      # keep it elsewhere\n  hall audit verify --checkpoint head.note           # finds a cut or a rollback"
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
}

#[derive(Args)]
struct ListArguments {
    /// Only this kind of event, such as skill.execute
    #[arg(long, value_name = "KIND", value_parser = parse_kind)]
    event: Option<EventKind>,
    /// Only records about this skill
    #[arg(long, value_name = "NS/NAME")]
    skill: Option<SkillId>,
    /// Only denials with this code
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    code: Option<Code>,
    /// Only records from this time on (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = Timestamp::parse)]
    since: Option<Timestamp>,
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

fn parse_kind(text: &str) -> Result<EventKind, String> {
    let known = EventKind::ALL.iter().copied().find(|kind| kind.as_str() == text);
    known.ok_or_else(|| {
        format!("the kinds are: {}", EventKind::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", "))
    })
}

fn parse_code(text: &str) -> Result<Code, String> {
    Code::parse(text).ok_or_else(|| "there is no such code; `hall explain` lists them".into())
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::List(arguments) => list(arguments, &hall, printer),
        What::Verify(arguments) => verify(arguments, &hall, printer),
        What::Show(arguments) => show(arguments, &hall, printer),
    }
}

fn list(arguments: &ListArguments, hall: &Hall, printer: &Printer) -> Outcome<()> {
    let filter = Filter {
        kind: arguments.event,
        skill: arguments.skill.clone(),
        code: arguments.code,
        since: arguments.since,
        limit: Some(arguments.limit),
        ..Filter::default()
    };
    let records = hall.records(&filter)?;
    let object = json!({ "records": records.iter().map(value).collect::<Vec<_>>() });
    printer.result(&object, || records.iter().map(line).collect());
    Ok(())
}

fn show(arguments: &ShowArguments, hall: &Hall, printer: &Printer) -> Outcome<()> {
    let records = if let Ok(sequence) = arguments.what.parse::<u64>() {
        hall.record(sequence)?.into_iter().collect()
    } else {
        hall.records(&Filter { decision_id: Some(arguments.what.clone()), ..Filter::default() })?
    };
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
    let kept = arguments.checkpoint.as_ref().map(std::fs::read_to_string).transpose();
    let kept =
        kept.map_err(|error| CommandError::usage(format!("the kept checkpoint cannot be read: {error}"), "give its file"))?;
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

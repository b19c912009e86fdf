//! `hall approvals`: calls that wait for a person, and the person's answer.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::json;
use skillhall::hall::Hall;
use skillhall_core::clock::Timestamp;
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::Input;
use skillhall_core::json::canonical;
use skillhall_core::registry::approval::{Approval, ApprovalState};
use skillhall_core::trust::approve::Answer;

use super::run::input;
use super::standing::parse_reason;
use crate::error::{CommandError, Outcome};
use crate::hall::{Place, now};
use crate::passphrase::open_key;
use crate::printer::{Printer, bad, bold, dim, good, shown};

/// How often it is looked whether something new waits.
const LOOK: Duration = Duration::from_millis(250);

/// List, show and answer calls that wait for a person
#[derive(Args)]
#[command(
    after_help = "An answer is signed with an approver's key: hall keys new --purpose approve --holder NAME --out FILE\n\nExamples:\n  hall approvals list\n  hall approvals show 4f9c2d1e-... --input @call.json\n  hall approvals approve 4f9c2d1e-... --key ada.pem --reason 'seen with the customer'\n  hall approvals reject 4f9c2d1e-... --key ada.pem --reason 'not in production'\n  hall approvals watch"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    List(ListArguments),
    Show(ShowArguments),
    Approve(ApproveArguments),
    Reject(RejectArguments),
    Watch(WatchArguments),
}

/// List the calls that wait, newest last
#[derive(Args)]
#[command(after_help = "Examples:\n  hall approvals list\n  hall approvals list --all --json")]
struct ListArguments {
    /// Those too that were rejected, used, or ran out of time
    #[arg(long)]
    all: bool,
}

/// Show what would run, for whom, and why a person is asked
#[derive(Args)]
#[command(after_help = "Examples:\n  hall approvals show 4f9c2d1e-...\n  hall approvals show 4f9c2d1e-... --input @call.json")]
struct ShowArguments {
    /// The approval's id
    id: String,
    /// An input: says whether it is the one that was asked for, since only its digest is kept
    #[arg(long, value_name = "JSON", allow_hyphen_values = true)]
    input: Option<String>,
}

/// Say yes: the very call that waits may run, once, and soon
#[derive(Args)]
#[command(after_help = "Examples:\n  hall approvals approve 4f9c2d1e-... --key ada.pem --reason 'seen with the customer'")]
struct ApproveArguments {
    /// The approval's id
    id: String,
    #[command(flatten)]
    signing: Signing,
    /// Why, as records will say
    #[arg(long, short, default_value = "approved", value_parser = parse_reason)]
    reason: String,
}

/// Say no, or take a yes back that was not used
#[derive(Args)]
#[command(after_help = "Examples:\n  hall approvals reject 4f9c2d1e-... --key ada.pem --reason 'not in production'")]
struct RejectArguments {
    /// The approval's id
    id: String,
    #[command(flatten)]
    signing: Signing,
    /// Why, as records and the refusal will say
    #[arg(long, short, value_parser = parse_reason)]
    reason: String,
}

/// With what the answer is signed.
#[derive(Args)]
struct Signing {
    /// The approver's sealed key; without it, the file that `SKILLHALL_APPROVER_KEY` names
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Read the passphrase from here instead of the terminal: a file, or /dev/fd/N
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Show what waits, and each new call that comes to wait, until it is interrupted
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall approvals watch\n  hall approvals watch --json\n  hall approvals watch --first && notify-send 'a skill waits for you'"
)]
struct WatchArguments {
    /// End as soon as something waits
    #[arg(long)]
    first: bool,
}

pub(crate) async fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    match &arguments.what {
        What::List(arguments) => list(&hall, arguments.all, printer),
        What::Show(arguments) => show(&hall, arguments, printer),
        What::Approve(arguments) => {
            answer(&hall, &arguments.id, Answer::Approved, &arguments.reason, &arguments.signing, printer)
        }
        What::Reject(arguments) => answer(&hall, &arguments.id, Answer::Rejected, &arguments.reason, &arguments.signing, printer),
        What::Watch(arguments) => watch(&hall, arguments.first, printer).await,
    }
}

fn list(hall: &Hall, all: bool, printer: &Printer) -> Outcome<()> {
    let approvals = hall.approvals(!all)?;
    printer.result(&json!({ "approvals": approvals }), || {
        if approvals.is_empty() {
            return vec!["nothing waits for a person".to_owned()];
        }
        approvals.iter().map(line).collect()
    });
    Ok(())
}

fn line(approval: &Approval) -> String {
    let skill = value(approval, "skill");
    let (state, until) = state(approval, now());
    format!("{}  {state}  {} for {}{}", approval.id, bold(skill), shown(&approval.asked.caller), dim(&until))
}

/// How it stands: a coloured word, and until when.
fn state(approval: &Approval, now: Timestamp) -> (String, String) {
    let state = approval.state_at(now);
    let word = Approval::word(&state);
    match state {
        ApprovalState::Pending => (word.to_owned(), format!("  until {}", approval.asked.expires_at)),
        ApprovalState::Approved(yes) => (good(word), format!("  by {}, to be used until {}", shown(&yes.by), yes.until)),
        ApprovalState::Rejected(no) => (bad(word), format!("  by {}: {}", shown(&no.by), shown(&no.reason))),
        ApprovalState::Expired => (dim(word), String::new()),
        ApprovalState::Used { resolved, at, .. } => (dim(word), format!("  by {}, used at {at}", shown(&resolved.by))),
    }
}

fn show(hall: &Hall, arguments: &ShowArguments, printer: &Printer) -> Outcome<()> {
    let approval = hall.approval(&arguments.id)?;
    let fits = match &arguments.input {
        Some(text) => Some(digest(text)?.to_string() == value(&approval, "input")),
        None => None,
    };
    let mut object = json!(approval);
    if let (Some(members), Some(fits)) = (object.as_object_mut(), fits) {
        members.insert("input_fits".into(), fits.into());
    }
    printer.result(&object, || {
        let mut lines = described(&approval);
        match fits {
            Some(true) => lines.push(format!("  {} this is the input that was asked for", good("✓"))),
            Some(false) => lines.push(format!("  {} this is another input than the one that was asked for", bad("✗"))),
            None => {}
        }
        lines
    });
    Ok(())
}

fn described(approval: &Approval) -> Vec<String> {
    let (state, until) = state(approval, now());
    let asked = &approval.asked;
    let value = |name| shown(value(approval, name));
    vec![
        format!("{} is {state}{until}", bold(&approval.id)),
        format!("  runs    {} of {} (manifest {})", value("tool"), value("skill"), value("manifest")),
        format!("  for     {} of {}, through {}", shown(&asked.caller), asked.organisation, value("adapter")),
        format!("  where   {} ({}), policy tier {}", value("host"), value("env"), asked.tier),
        format!("  with    {} data, tenant risk {}, {}", value("data_label"), value("tenant_risk"), value("qos_class")),
        format!("  input   sha256:{}", value("input")),
        format!("  policy  sha256:{}, gate version {}", value("policy"), value("gate_policy_version")),
        format!("  asked   {}", approval.asked_at),
        format!("  why     {}", shown(&asked.reason)),
    ]
}

fn value<'a>(approval: &'a Approval, name: &str) -> &'a str {
    approval.asked.bound.get(name).map_or("?", String::as_str)
}

/// The digest under which an input is bound.
fn digest(text: &str) -> Outcome<Digest> {
    let input = Input::parse(&input(text)?)?;
    let bytes = canonical(input.value()).map_err(|error| CommandError::usage(error.to_string(), "give the input as JSON"))?;
    Ok(Digest::of(&bytes))
}

fn answer(hall: &Hall, id: &str, answer: Answer, reason: &str, signing: &Signing, printer: &Printer) -> Outcome<()> {
    // Told before the passphrase is asked for.
    let waiting = hall.approval(id)?;
    if printer.narrates() && signing.passphrase_file.is_none() {
        printer.narrate(&described(&waiting));
    }
    let named = || std::env::var_os("SKILLHALL_APPROVER_KEY").filter(|name| !name.is_empty()).map(PathBuf::from);
    let file = signing.key.clone().or_else(named).ok_or_else(|| {
        CommandError::usage(
            "an answer is signed with an approver's key",
            "name its file with --key, or in SKILLHALL_APPROVER_KEY",
        )
    })?;
    let key = open_key(&file, signing.passphrase_file.as_deref())?;
    let approval = hall.answer(id, answer, reason, &key)?;
    printer.result(&json!(approval), || match &approval.state {
        ApprovalState::Approved(yes) => vec![
            format!("{} {} approved {}", good("✓"), shown(&yes.by), bold(id)),
            format!("  it may run once, until {}: the same call with --approval {id}", yes.until),
        ],
        ApprovalState::Rejected(no) => vec![format!("{} {} rejected {}", good("✓"), shown(&no.by), bold(id))],
        _ => Vec::new(),
    });
    Ok(())
}

async fn watch(hall: &Hall, first: bool, printer: &Printer) -> Outcome<()> {
    let mut told: Vec<String> = Vec::new();
    let mut seen = None;
    loop {
        let version = hall.registry()?.version().map_err(|error| CommandError::Fault(error.into()))?;
        if seen != Some(version) {
            seen = Some(version);
            let waiting = hall.approvals(true)?;
            told.retain(|id| waiting.iter().any(|approval| approval.id == *id));
            for approval in waiting.iter().filter(|approval| matches!(approval.state, ApprovalState::Pending)) {
                if !told.contains(&approval.id) {
                    printer.result(&json!(approval), || described(approval));
                    told.push(approval.id.clone());
                }
            }
            if first && !told.is_empty() {
                return Ok(());
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

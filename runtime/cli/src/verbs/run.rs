//! `hall run`: takes a call through every gate and runs it.

use std::io::Read as _;

use clap::Args;
use serde_json::json;
use skillhall::engine::KillHandle;
use skillhall::hall::{Hall, Receipt};
use skillhall_core::govern::call::{Call, DataLabel, Input, MAX_INPUT_BYTES};
use skillhall_core::govern::wcp::Word as _;
use skillhall_core::id::{SkillRef, ToolName};
use skillhall_core::ledger::event::EventKind;
use skillhall_core::random;

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::hall::Place;
use crate::printer::{Printer, dim, good, shown};
use crate::progress::Progress;
use crate::reference;

/// Run a tool of an installed skill, if every gate lets it pass
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall run org.skillhall/redact --input '{\"text\": \"mail a@b.example\"}'\n  hall run org.skillhall/redact@1.0.0 --input @call.json --json\n  cat call.json | hall run org.skillhall/redact --input -\n  hall run org.skillhall/redact --input '{\"text\": \"\"}' --dry-run"
)]
pub(crate) struct Arguments {
    /// The skill: NAMESPACE/NAME (the newest that is installed) or NAMESPACE/NAME@VERSION
    skill: String,
    /// Which of its tools; needed only if it has more than one
    #[arg(long, value_name = "NAME")]
    tool: Option<ToolName>,
    /// The input: JSON text, @FILE, or - for stdin
    #[arg(long, short, value_name = "JSON", default_value = "{}", allow_hyphen_values = true)]
    input: String,
    /// Go through gates 1 to 10 and run nothing
    #[arg(long)]
    dry_run: bool,
    /// How sensitive the data is: PUBLIC, INTERNAL or RESTRICTED
    #[arg(long, default_value = "PUBLIC", value_parser = parse_label, value_name = "LABEL")]
    data_label: DataLabel,
    /// Ties this call to others in the records; made if absent
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// Show each gate as it is passed
    #[arg(long, short)]
    verbose: bool,
}

fn parse_label(text: &str) -> Result<DataLabel, String> {
    DataLabel::parse(&text.to_ascii_uppercase()).ok_or_else(DataLabel::choices)
}

pub(crate) async fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome {
    let hall = place.open()?;
    let skill = reference::resolve(&hall, &arguments.skill)?;
    let call = call(arguments, &hall, skill)?;
    let caller = hall.caller()?;
    let mut progress = if arguments.verbose { Progress::gates(printer) } else { Progress::quiet(printer) };
    if arguments.dry_run {
        hall.dry_run(call.clone(), caller, &mut progress)?;
        let object = json!({ "dry_run": true, "skill": call.skill, "tool": call.tool, "gates": progress.gates_passed() });
        printer.result(&object, || vec![format!("{} {} would run: gates 1 to 10 are passed", good("✓"), call.skill)]);
        return Ok(Exit::Done);
    }
    let receipt = hall.execute(call, caller, &KillHandle::new(), &mut progress).await?;
    show(&receipt, printer)
}

fn show(receipt: &Receipt, printer: &Printer) -> Outcome {
    let (stdout, stderr) = receipt.streams();
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        for line in text.lines() {
            printer.note(&dim(&format!("  {name}: {}", shown(line))));
        }
    }
    if let Some(failure) = receipt.failure() {
        if let Some(error) = &failure.error {
            printer.note(&format!("  its error: {}", shown(&error.to_string())));
        }
        for frame in &failure.backtrace {
            printer.note(&dim(&format!("  at {}", shown(frame))));
        }
        if printer.is_json() {
            printer.result(&json!(receipt), Vec::new);
        }
        return Err(failure.clone().into());
    }
    printer.result(&json!(receipt), || {
        let output = receipt.output().map(|output| serde_json::to_string_pretty(output).unwrap_or_default());
        vec![shown(&output.unwrap_or_default())]
    });
    let (decided, closed) = receipt.records();
    printer.note(&dim(&format!(
        "{} {}, decision {}, records {decided} and {closed}",
        receipt.skill(),
        receipt.manifest_hash().short(),
        receipt.decision_id()
    )));
    Ok(Exit::Done)
}

fn call(arguments: &Arguments, hall: &Hall, skill: SkillRef) -> Outcome<Call> {
    let text = input(&arguments.input)?;
    let input = Input::parse(&text).map_err(|denial| {
        let mut event = hall.event(EventKind::SkillDeny, hall.clock().now());
        (event.skill, event.version) = (Some(skill.id.clone()), Some(skill.version.clone()));
        hall.deny(&event, denial)
    })?;
    let correlation_id = match &arguments.correlation_id {
        Some(id) => id.clone(),
        None => random::uuid().map_err(|error| CommandError::Fault(error.into()))?,
    };
    Ok(Call {
        skill,
        tool: arguments.tool.clone(),
        input,
        data_label: arguments.data_label,
        tenant_risk: skillhall_core::govern::call::TenantRisk::Low,
        qos_class: skillhall_core::govern::call::QosClass::P2,
        correlation_id,
    })
}

/// The input's text: at most one byte more than is allowed, so that what is too large is told as such.
fn input(argument: &str) -> Outcome<Vec<u8>> {
    let limit = u64::try_from(MAX_INPUT_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    let read = match argument.strip_prefix('@') {
        Some(file) => std::fs::File::open(file).and_then(|file| file.take(limit).read_to_end(&mut bytes)),
        None if argument == "-" => std::io::stdin().take(limit).read_to_end(&mut bytes),
        None => return Ok(argument.as_bytes().to_vec()),
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(CommandError::usage(format!("the input cannot be read: {error}"), "give JSON, @FILE, or - for stdin")),
    }
}

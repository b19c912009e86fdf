//! `hall run`: takes a call through every gate and runs it.

use std::io::Read as _;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use skillhall::engine::KillHandle;
use skillhall::hall::{Hall, Preparation, Receipt, Refused, Run, Wanted};
use skillhall_core::denial::Code;
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Call, DataLabel, Input, MAX_INPUT_BYTES, QosClass, TenantRisk};
use skillhall_core::govern::wcp::Word as _;
use skillhall_core::id::{CapabilityId, SkillRef, ToolName};
use skillhall_core::json::sorted;
use skillhall_core::ledger::event::EventKind;
use skillhall_core::random;

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::hall::{Place, now};
use crate::package;
use crate::prepare::prepare;
use crate::printer::{Printer, dim, good, shown};
use crate::progress::Progress;
use crate::reference;

/// Run a tool of an installed skill, or of the skill at a path, if every gate lets it pass
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall run org.skillhall/redact --input '{\"text\": \"mail a@b.example\"}'\n  hall run org.skillhall/redact@1.0.0 --input @call.json --json\n  cat call.json | hall run org.skillhall/redact --input -\n  hall run org.skillhall/redact --input '{\"text\": \"\"}' --dry-run\n  hall run 'org.skillhall/redact@^1' --input @call.json\n  hall run --capability cap.text.redact --input @call.json\n  hall run . --input @call.json                  # the skill in this folder: built, attested, certified, published and\n                                                 # installed in your own hall, each through its gates, then run"
)]
pub(crate) struct Arguments {
    /// The skill: NAMESPACE/NAME (the newest that is installed), with @VERSION or a range such as @^1; or the path of its
    /// source, its package or its .skill file
    #[arg(required_unless_present = "capability")]
    skill: Option<String>,
    /// In place of a skill: what it has to provide, such as cap.text.redact. Of the installed skills that provide it the one that the
    /// rules rank first is run
    #[arg(long, value_name = "CAPABILITY", conflicts_with = "skill")]
    capability: Option<CapabilityId>,
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
    /// How risky the tenant is for whom it is called: low, medium or high
    #[arg(long, default_value = "low", value_parser = parse_risk, value_name = "RISK")]
    tenant_risk: TenantRisk,
    /// How urgent it is: P0, P1, P2 or P3
    #[arg(long, default_value = "P2", value_parser = parse_qos, value_name = "CLASS")]
    qos_class: QosClass,
    /// Ties this call to others in the records; made if absent
    #[arg(long, value_name = "ID")]
    correlation_id: Option<String>,
    /// The approval on the strength of which it is called: what a call that waited for a person named
    #[arg(long, value_name = "ID")]
    approval: Option<String>,
    /// If a person has to approve the call, wait for the answer and go on; at most so many minutes, else as long as the
    /// approval does
    #[arg(long, value_name = "MINUTES", num_args = 0..=1, default_missing_value = "527040", conflicts_with = "approval")]
    wait_for_approval: Option<u64>,
    /// With a path: accept exactly this difference in powers to the version before
    #[arg(long, value_name = "DIGEST")]
    accept_powers: Option<Digest>,
    /// Show each gate as it is passed
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn parse_risk(text: &str) -> Result<TenantRisk, String> {
    TenantRisk::parse(&text.to_ascii_lowercase()).ok_or_else(TenantRisk::choices)
}

pub(crate) fn parse_qos(text: &str) -> Result<QosClass, String> {
    QosClass::parse(&text.to_ascii_uppercase()).ok_or_else(QosClass::choices)
}

pub(crate) fn parse_label(text: &str) -> Result<DataLabel, String> {
    DataLabel::parse(&text.to_ascii_uppercase()).ok_or_else(DataLabel::choices)
}

pub(crate) async fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome {
    let correlation_id = match &arguments.correlation_id {
        Some(id) => id.clone(),
        None => random::uuid().map_err(|error| CommandError::Fault(error.into()))?,
    };
    let found = find(arguments, &correlation_id, place, printer)?;
    let hall = &found.hall;
    let call = call(arguments, &found, correlation_id)?;
    let caller = hall.caller()?;
    let mut progress = if arguments.verbose { Progress::gates(printer) } else { Progress::quiet(printer) };
    if arguments.dry_run {
        hall.dry_run(call.clone(), caller, &mut progress).map_err(|refused| found.refused(refused))?;
        let object = json!({ "dry_run": true, "skill": call.skill, "tool": call.tool, "gates": progress.gates_passed() });
        let object = found.said(object);
        printer.result(&object, || vec![format!("{} {} would run: gates 1 to 10 are passed", good("✓"), call.skill)]);
        return Ok(Exit::Done);
    }
    let (again, for_whom) = (call.clone(), caller.clone());
    let mut receipt = hall.run(Run { call, caller, kill: KillHandle::new(), observer: &mut progress }).await?;
    if let Some(minutes) = arguments.wait_for_approval
        && let Some(id) = waits_for(&receipt)
    {
        wait(hall, &id, minutes, printer).await?;
        let call = Call { approval: Some(id), ..again };
        receipt = hall.run(Run { call, caller: for_whom, kill: KillHandle::new(), observer: &mut progress }).await?;
    }
    show(&receipt, &found, printer)
}

/// The approval for which a denied call waits.
fn waits_for(receipt: &Receipt) -> Option<String> {
    let denial = receipt.denial().filter(|denial| matches!(denial.code, Code::RequiresHuman | Code::RequiresHumanApproval))?;
    denial.details.get("approval")?.as_str().map(str::to_owned)
}

/// Waits for the answer. Whatever it is, the call that is then made says it.
async fn wait(hall: &Hall, id: &str, minutes: u64, printer: &Printer) -> Outcome<()> {
    printer.note(&format!("waits for a person: hall approvals approve {id}"));
    let longest = Duration::from_secs(minutes.saturating_mul(60));
    if let Ok(answered) = tokio::time::timeout(longest, hall.answered(id)).await {
        return Ok(answered.map(drop)?);
    }
    let approval = hall.approval(id)?;
    Err(skillhall_core::govern::approval::waits(&approval).detail("approval", id).into())
}

/// The skill that is meant, in the hall where it runs.
struct Found {
    hall: Hall,
    skill: SkillRef,
    requested: Option<String>,
    resolved: Value,
    /// What was done for a path; `None` for what was named.
    prepared: Option<Vec<Preparation>>,
}

impl Found {
    /// What is said of the way to the skill, beside what came of the call.
    fn said(&self, mut object: Value) -> Value {
        if let Some(members) = object.as_object_mut() {
            if !self.resolved.is_null() {
                members.insert("resolved".into(), self.resolved.clone());
            }
            if let Some(requested) = &self.requested {
                members.insert("requested".into(), requested.as_str().into());
            }
            if let Some(prepared) = &self.prepared {
                members.insert("prepared".into(), json!(prepared));
            }
        }
        object
    }

    /// A refusal, with what was done before it.
    fn refused(&self, refused: Refused) -> CommandError {
        match (CommandError::from(refused), &self.prepared) {
            (CommandError::Denial(denial), Some(prepared)) => {
                CommandError::Denial(Box::new(denial.detail("prepared", json!(prepared))))
            }
            (error, _) => error,
        }
    }
}

fn find(arguments: &Arguments, correlation_id: &str, place: &Place, printer: &Printer) -> Outcome<Found> {
    let text = arguments.skill.as_deref().unwrap_or_default();
    if arguments.skill.is_some() && package::is_path(text) {
        let ready = prepare(text, correlation_id, arguments.accept_powers, place, printer)?;
        return Ok(Found {
            hall: ready.hall,
            skill: ready.skill,
            requested: Some(text.to_owned()),
            resolved: Value::Null,
            prepared: Some(ready.steps),
        });
    }
    if arguments.accept_powers.is_some() {
        let message = "--accept-powers belongs to an install, and what is named by its name is installed already";
        return Err(CommandError::usage(message, "give it to hall install, hall update, or hall run PATH"));
    }
    let hall = place.open_for_a_call()?;
    let named = match &arguments.capability {
        Some(capability) => {
            let (data_label, tenant_risk, qos_class) = (arguments.data_label, arguments.tenant_risk, arguments.qos_class);
            reference::route(&hall, &Wanted { capability: capability.clone(), data_label, tenant_risk, qos_class })?
        }
        None => reference::resolve(&hall, text)?,
    };
    named.tell(printer);
    Ok(Found { hall, requested: named.requested(), resolved: named.to_json(), skill: named.skill, prepared: None })
}

fn show(receipt: &Receipt, found: &Found, printer: &Printer) -> Outcome {
    if let Some(denial) = receipt.denial() {
        return Err(found.refused(Refused::Denied { denial: denial.clone(), record: receipt.record() }));
    }
    tell_along(receipt, printer);
    if let Some(failure) = receipt.failure() {
        if printer.is_json() {
            printer.result(&found.said(json!(receipt)), Vec::new);
        }
        return Err(failure.clone().into());
    }
    printer.result(&found.said(json!(receipt)), || vec![output(receipt)]);
    if let Some(approval) = receipt.admitted().and_then(|admitted| admitted.approval.as_ref()) {
        let own = if approval.own { ", who also called" } else { "" };
        printer.note(&dim(&format!("approved by {}{own} ({})", shown(&approval.by), approval.id)));
    }
    let hash = receipt.admitted().map(|admitted| admitted.manifest_hash.short()).unwrap_or_default();
    let (decided, closed) = (receipt.record().unwrap_or_default(), receipt.closed().unwrap_or_default());
    printer.note(&dim(&format!(
        "{} {hash}, decision {}, records {decided} and {closed}",
        receipt.skill(),
        receipt.decision_id()
    )));
    Ok(Exit::Done)
}

/// Its result, for people.
pub(super) fn output(receipt: &Receipt) -> String {
    let output = receipt.output().map(|output| serde_json::to_string_pretty(&sorted(output.clone())).unwrap_or_default());
    shown(&output.unwrap_or_default())
}

/// What a run said beside its result, and how it failed.
pub(super) fn tell_along(receipt: &Receipt, printer: &Printer) {
    let (stdout, stderr) = receipt.streams();
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        for line in text.lines() {
            printer.note(&dim(&format!("  {name}: {}", shown(line))));
        }
    }
    for line in receipt.log() {
        let level = format!("{:?}", line.level).to_lowercase();
        let context = if line.context.is_empty() { String::new() } else { format!("{}: ", shown(&line.context)) };
        for text in line.message.lines() {
            printer.note(&dim(&format!("  {level}: {context}{}", shown(text))));
        }
    }
    for called in receipt.calls() {
        let (skill, tool) = (shown(&called.skill), shown(&called.tool));
        printer.note(&dim(&format!("  called {skill} {tool}: {}", called.outcome)));
    }
    for refusal in receipt.refusals() {
        printer.note(&format!("  refused: {} {}: {}", refusal.capability, shown(&refusal.asked), shown(&refusal.message)));
        printer.note(&dim(&format!("  hint: {}", shown(&refusal.hint))));
    }
    if let Some(failure) = receipt.failure() {
        if let Some(error) = &failure.error {
            printer.note(&format!("  its error: {}", shown(&error.to_string())));
        }
        for frame in &failure.backtrace {
            printer.note(&dim(&format!("  at {}", shown(frame))));
        }
    }
}

fn call(arguments: &Arguments, found: &Found, correlation_id: String) -> Outcome<Call> {
    let (hall, skill) = (&found.hall, found.skill.clone());
    let text = input(&arguments.input)?;
    let input = Input::parse(&text).map_err(|denial| {
        let mut event = hall.event(EventKind::SkillDeny, now());
        (event.skill, event.version) = (Some(skill.id.clone()), Some(skill.version.clone()));
        hall.deny(&event, denial)
    })?;
    Ok(Call {
        skill,
        tool: arguments.tool.clone(),
        input,
        data_label: arguments.data_label,
        tenant_risk: arguments.tenant_risk,
        qos_class: arguments.qos_class,
        correlation_id,
        requested: found.requested.clone(),
        capability: arguments.capability.clone(),
        approval: arguments.approval.clone(),
        chain: skillhall_core::govern::call::Chain::default(),
    })
}

/// The input's text: at most one byte more than is allowed, so that what is too large is told as such.
pub(crate) fn input(argument: &str) -> Outcome<Vec<u8>> {
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

//! `hall update`: installs newer versions of what is installed.

use clap::Args;
use serde_json::{Value, json};
use skillhall::hall::{Hall, Update};
use skillhall_core::digest::Digest;

use crate::error::{CommandError, Outcome};
use crate::hall::Place;
use crate::printer::{Printer, bold, good, hint};
use crate::progress::Progress;
use crate::reference;
use crate::verbs::install::{change_json, power_lines};

/// Install newer versions of what is installed
#[derive(Args)]
#[command(
    after_help = "Looks at what is published in this hall and whose package is kept here. Older versions stay installed.\n\nExamples:\n  hall update org.acme/redact\n  hall update 'org.acme/redact@^1'\n  hall update --all\n  hall update org.acme/fetch --accept-powers 5f2b..."
)]
pub(crate) struct Arguments {
    /// The skill: NAMESPACE/NAME, with @VERSION or a range such as @^1
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    skill: Option<String>,
    /// Everything that is installed
    #[arg(long)]
    all: bool,
    /// Accept exactly this difference in powers to the newest installed version
    #[arg(long, value_name = "DIGEST", conflicts_with = "all")]
    accept_powers: Option<Digest>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let reference = arguments.skill.as_deref().map(reference::parse).transpose()?;
    let updates = hall.updates(reference.as_ref()).map_err(|denial| match &reference {
        Some(reference) => reference::refused(&hall, &reference.skill, denial),
        None => denial.into(),
    })?;
    let (mut rows, mut lines, mut refusal) = (Vec::new(), Vec::new(), None);
    for update in &updates {
        match one(&hall, update, arguments.accept_powers, printer) {
            Ok((row, said)) => {
                rows.push(row);
                lines.extend(said);
            }
            // One that is refused does not keep the others from being updated.
            Err(error) if arguments.all => {
                rows.push(json!({ "installed": update.installed, "newer": update.newer, "error": error.to_json().get("error") }));
                lines.push(format!("  {} stays: {}", update.installed, error.message()));
                refusal.get_or_insert(error);
            }
            Err(error) => return Err(error),
        }
    }
    if let Some(error) = refusal {
        printer.narrate(&lines);
        return Err(with_rows(error, &rows));
    }
    printer.result(&json!({ "updates": rows }), || if lines.is_empty() { vec!["nothing is installed".into()] } else { lines });
    Ok(())
}

fn one(hall: &Hall, update: &Update, accepted: Option<Digest>, printer: &Printer) -> Outcome<(Value, Vec<String>)> {
    let Some(newer) = &update.newer else {
        let row = json!({ "installed": update.installed, "updated": false });
        return Ok((row, vec![format!("  {} is the newest", update.installed)]));
    };
    let Some(package) = &update.package else {
        let row = json!({ "installed": update.installed, "newer": newer, "updated": false, "kept": false });
        let line = format!("  {} stays: {newer} is published, but its package is not kept here", update.installed);
        return Ok((row, vec![line, format!("  {}: hall install PACKAGE", hint("hint"))]));
    };
    let change = hall.compare_powers(package)?;
    let installed = hall.install_accepting(package, accepted, &mut Progress::quiet(printer))?;
    let row = json!({
        "installed": update.installed,
        "newer": installed.skill,
        "manifest_hash": installed.manifest_hash,
        "updated": true,
        "change": change_json(&change),
    });
    let mut lines = vec![format!("{} updated {} to {}", good("✓"), update.installed, bold(&installed.skill.to_string()))];
    lines.extend(power_lines(package, &change));
    Ok((row, lines))
}

/// The first refusal of several updates tells what came of all.
fn with_rows(error: CommandError, rows: &[Value]) -> CommandError {
    match error {
        CommandError::Denial(denial) => CommandError::Denial(Box::new(denial.detail("updates", json!(rows)))),
        other => other,
    }
}

//! `hall search`: what is published in the hall's registry.

use clap::Args;
use serde_json::json;
use skillhall::hall::Found;
use skillhall_core::id::CapabilityId;

use crate::error::Outcome;
use crate::hall::Place;
use crate::printer::{Printer, bold, dim, shown};

/// Search what is published: names, summaries, what is provided
#[derive(Args)]
#[command(after_help = "Examples:\n  hall search redact\n  hall search personal data\n  hall search cap.text --json")]
pub(crate) struct Arguments {
    /// Words that must all be found; without any, everything is listed
    words: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let words = arguments.words.join(" ");
    let found = place.open()?.search(&words)?;
    printer.result(&json!({ "found": found }), || {
        if found.is_empty() {
            return vec![format!("nothing that is published here has {}", shown(&format!("'{words}'")))];
        }
        found.iter().map(line).collect()
    });
    Ok(())
}

fn line(found: &Found) -> String {
    let installed = if found.installed { "" } else { " (not installed)" };
    let summary = found.summary.as_deref().map(shown).unwrap_or_default();
    let provides = found.provides.iter().map(CapabilityId::as_str).collect::<Vec<_>>().join(", ");
    format!("{}{installed}  {summary}  {}", bold(&found.newest.to_string()), dim(&provides))
}

//! `hall install`: puts a published package onto this host and compiles it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::Outcome;
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, good};
use crate::progress::Progress;

/// Put a published package onto this host and compile it
#[derive(Args)]
#[command(after_help = "Examples:\n  hall install dist/redact-1.0.0")]
pub(crate) struct Arguments {
    /// The package: a folder or a .skill archive
    package: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let package = package::read_in(&hall, &arguments.package)?;
    let installed = hall.install(&package, &mut Progress::quiet(printer))?;
    printer.result(&json!({ "skill": installed.skill, "manifest_hash": installed.manifest_hash }), || {
        vec![
            format!("{} installed {}", good("✓"), bold(&installed.skill.to_string())),
            format!("  run it: hall run {} --input '{{...}}'", installed.skill.id),
        ]
    });
    Ok(())
}

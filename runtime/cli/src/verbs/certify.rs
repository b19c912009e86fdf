//! `hall certify`: checks a package and certifies it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::Outcome;
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, dim, good};

/// Check a package and certify it
#[derive(Args)]
#[command(after_help = "Examples:\n  hall certify dist/redact-1.0.0\n  hall certify redact.skill --days 30")]
pub(crate) struct Arguments {
    /// The package: a folder or a .skill archive
    package: PathBuf,
    /// For how many days the certification counts
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: u32,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let package = package::read_in(&hall, &arguments.package)?;
    let certified = hall.certify(&package, arguments.days)?;
    printer.result(&json!(certified), || {
        let mut lines: Vec<String> =
            certified.checks.iter().map(|check| format!("  {} {:<20} {}", good("✓"), check.name, dim(&check.message))).collect();
        let skill = bold(&certified.skill.to_string());
        lines.push(format!("{} certified {skill} until {} ({})", good("✓"), certified.expires_at, certified.id));
        lines
    });
    Ok(())
}

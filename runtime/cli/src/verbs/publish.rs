//! `hall publish`: enters a package into the registry, for good.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::error::Outcome;
use crate::hall::Place;
use crate::package;
use crate::printer::{Printer, bold, good};

/// Enter a package into the registry; a published version never changes
#[derive(Args)]
#[command(after_help = "Examples:\n  hall publish dist/redact-1.0.0")]
pub(crate) struct Arguments {
    /// The package: a folder or a .skill archive
    package: PathBuf,
}

pub(crate) fn run(arguments: &Arguments, place: &Place, printer: &Printer) -> Outcome<()> {
    let hall = place.open()?;
    let package = package::read_in(&hall, &arguments.package)?;
    let (published, record) = hall.publish(&package)?;
    printer.result(&json!({ "published": published, "record": record }), || {
        vec![format!(
            "{} published {} as {} (record {record})",
            good("✓"),
            bold(&published.skill.to_string()),
            published.manifest_hash
        )]
    });
    Ok(())
}

//! `hall audit export`: records for other programs, as lines.

use std::io::Write as _;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use skillhall::hall::Hall;
use skillhall_core::ledger::export;

use super::filter::Flags;
use super::kept;
use crate::error::Outcome;
use crate::printer::{Printer, dim};

/// Write records as JSON lines, after the whole ledger was verified
///
/// Nothing is written of a ledger that is not what was written. The exit code is 0 only if the export is whole.
#[derive(Args)]
#[command(
    after_help = "docs/events.md says what records hold; `hall schema event` prints their JSON Schema.\n\nExamples:\n  hall audit export > records.jsonl\n  hall audit export --since 2026-01-01T00:00:00Z --org acme --checkpoint head.note\n  hall audit export --format wcp | collector"
)]
pub(super) struct Arguments {
    /// What each line is
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    #[command(flatten)]
    which: Flags,
    /// A checkpoint that was kept elsewhere: the ledger has to continue it
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// A record, byte for byte as it stands in the ledger
    Jsonl,
    /// A telemetry envelope of WCP
    Wcp,
}

pub(super) fn run(arguments: &Arguments, hall: &Hall, printer: &Printer) -> Outcome<()> {
    let kept = kept(arguments.checkpoint.as_ref())?;
    let filter = arguments.which.filter(hall)?;
    let format = match arguments.format {
        Format::Jsonl => export::Format::Jsonl,
        Format::Wcp => export::Format::Wcp,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let exported = hall.export(kept.as_deref(), &filter, format, &mut |line| {
        out.write_all(line)?;
        out.write_all(b"\n")
    })?;
    out.flush().map_err(|error| skillhall::hall::Fault::Export(error.into()))?;
    printer.note(&dim(&format!(
        "lines written: {}; records in the ledger: {}, each as it was written",
        exported.lines, exported.records
    )));
    Ok(())
}

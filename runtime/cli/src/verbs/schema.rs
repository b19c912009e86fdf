//! `hall schema`: the JSON Schemas of the two files that people write, and of records.

use clap::{Args, ValueEnum};
use serde_json::Value;

use crate::error::{CommandError, Outcome};
use crate::printer::Printer;

/// The JSON Schema of skill.toml.
const SKILL: &str = include_str!("../../schemas/skill.schema.json");
/// The JSON Schema of hall.toml.
pub(crate) const HALL: &str = include_str!("../../schemas/hall.schema.json");

/// The JSON Schema of the ledger's records.
const EVENT: &str = include_str!("../../schemas/event.schema.json");

/// Print the JSON Schema of skill.toml, hall.toml or the ledger's records
#[derive(Args)]
#[command(
    after_help = "An editor with TOML support (Taplo, Even Better TOML) reads the schema that the first line of a file names:\n  #:schema ./skill.schema.json\n`hall setup` lays the schema of hall.toml beside it and writes that line; after an update of hall, print it anew.\n\nExamples:\n  hall schema skill > skill.schema.json\n  hall schema hall > hall.schema.json"
)]
pub(crate) struct Arguments {
    /// Which file
    #[arg(value_name = "FILE")]
    file: File,
}

#[derive(Clone, Copy, ValueEnum)]
enum File {
    /// skill.toml, which an author writes
    Skill,
    /// hall.toml, which an operator writes
    Hall,
    /// A record of the ledger, as `hall audit export` writes it
    Event,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let text = match arguments.file {
        File::Skill => SKILL,
        File::Hall => HALL,
        File::Event => EVENT,
    };
    let schema: Value = serde_json::from_str(text).map_err(|error| CommandError::Fault(error.into()))?;
    printer.result(&schema, || text.lines().map(str::to_owned).collect());
    Ok(())
}

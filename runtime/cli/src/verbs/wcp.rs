//! `hall wcp`: holds implementations of WCP against the reference's decisions, and grades registry records.

mod compare;
mod conformance;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skillhall_core::govern::wcp::levels::{Grade, Level, grade};

use crate::error::{CommandError, Outcome};
use crate::exit::Exit;
use crate::printer::{Printer, bad, bold, good, shown};

/// The largest file of vectors or record that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;

/// Hold an implementation of WCP against the reference's decisions; grade registry records
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall wcp conformance\n  hall wcp conformance --command 'python3 adapter.py'\n  hall wcp levels registry_record.json"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    Conformance(conformance::Arguments),
    Levels(LevelsArguments),
}

/// Grade worker registry records: none, WCP-Basic, WCP-Standard or WCP-Full
#[derive(Args)]
#[command(
    after_help = "The criteria are those of the reference; they grade what a record declares, and nothing shows here whether it is so.\n\nExamples:\n  hall wcp levels registry_record.json\n  hall wcp levels records/*.json --json"
)]
struct LevelsArguments {
    /// Files with one record each
    #[arg(required = true, value_name = "FILE")]
    records: Vec<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Outcome {
    match &arguments.what {
        What::Conformance(arguments) => conformance::run(arguments, printer),
        What::Levels(arguments) => levels(arguments, printer),
    }
}

fn levels(arguments: &LevelsArguments, printer: &Printer) -> Outcome {
    let graded: Vec<(String, Grade)> = arguments
        .records
        .iter()
        .map(|path| {
            let record: Value =
                skillhall_core::json::parse(&read(path)?).map_err(|error| unreadable(path, &error.to_string()))?;
            Ok((path.display().to_string(), grade(&record)))
        })
        .collect::<Outcome<_>>()?;
    let rows: Vec<Value> =
        graded.iter().map(|(file, grade)| json!({ "file": file, "level": grade.level, "criteria": grade.criteria })).collect();
    printer.result(&json!({ "records": rows }), || graded.iter().flat_map(|(file, grade)| lines(file, grade)).collect());
    Ok(Exit::Done)
}

fn lines(file: &str, grade: &Grade) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", bold(&shown(file)), grade.level.as_str())];
    // What keeps the record from the next level.
    let next = [Level::Basic, Level::Standard, Level::Full].into_iter().find(|level| *level > grade.level);
    let missing = grade.criteria.iter().filter(|criterion| !criterion.met && Some(criterion.level) == next);
    lines.extend(missing.map(|criterion| format!("  {} {} needs {}", bad("✗"), criterion.level.as_str(), criterion.what)));
    if next.is_none() {
        lines.push(format!("  {} every criterion is met", good("✓")));
    }
    lines
}

/// Reads a file that the command line names.
fn read(path: &Path) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| unreadable(path, &error.to_string()))?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error.to_string()))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(unreadable(path, &format!("it is larger than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

fn unreadable(path: &Path, message: &str) -> CommandError {
    CommandError::usage(format!("{}: {message}", path.display()), "hall wcp --help")
}

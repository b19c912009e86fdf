//! `hall decide`: WCP decisions for scenarios, one JSON object a line. It needs no hall.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};
use skillhall_core::govern::wcp::scenario::{MAX_LINE, run, run_line};
use skillhall_core::govern::wcp::{RouteDecision, RuleSet, Stamp};
use skillhall_core::random;

use crate::error::{CommandError, Outcome};
use crate::hall::now;
use crate::printer::Printer;

/// Decide WCP scenarios, one JSON object a line; any other implementation can be held against it
#[derive(Args)]
#[command(
    after_help = "A scenario is a case as in fixtures/vectors/wcp/decisions.json: `input`, `rules` (or `rule`), and what each source would\nanswer; docs/wcp.md lists the members. It gives one line with the decision, in order. A line that is no JSON object gives\n{\"line\": N, \"error\": {..}}, and the exit code is then 2. Nothing is run and nothing is recorded.\n\nExamples:\n  jq -c '.cases[]' fixtures/vectors/wcp/decisions.json | hall decide\n  hall decide scenarios.jsonl --rules rules.json\n  hall decide < scenarios.jsonl > decisions.jsonl"
)]
pub(crate) struct Arguments {
    /// A file with scenarios [default: stdin]
    file: Option<PathBuf>,
    /// A rules file for the scenarios that bring no rules
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
}

pub(crate) fn run_verb(arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let rules = arguments.rules.as_deref().map(rules).transpose()?;
    let mut lines = Lines::of(match &arguments.file {
        Some(path) => {
            let unreadable =
                |error: io::Error| CommandError::usage(format!("{}: {error}", path.display()), "name a file with scenarios");
            Box::new(BufReader::new(File::open(path).map_err(unreadable)?))
        }
        None => Box::new(io::stdin().lock()),
    });
    let mut out = io::stdout().lock();
    let (mut decided, mut bad, mut first_bad) = (0_u64, 0_u64, 0_u64);
    while let Some(line) = lines.next().map_err(|error| CommandError::Fault(error.into()))? {
        let answer = match line.and_then(|text| decision(text, rules.as_ref())) {
            Ok(decision) => json!(decision?),
            Err(message) => {
                bad += 1;
                first_bad = if bad == 1 { lines.number } else { first_bad };
                json!({ "line": lines.number, "error": { "kind": "usage", "message": message } })
            }
        };
        decided += 1;
        // Line by line, so that a program can ask and wait for the answer. A reader that went away ends it.
        if writeln!(out, "{}", skillhall_core::json::sorted(answer)).and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    if bad > 0 {
        let message = format!("{bad} of {decided} lines are no scenario, the first is line {first_bad}");
        return Err(CommandError::usage(message, "each line is one JSON object; hall decide --help"));
    }
    printer.note(&format!("{decided} decided"));
    Ok(())
}

/// Decides one line. The outer error is a line that is no scenario at all; a scenario that cannot be understood is denied.
fn decision(line: &[u8], rules: Option<&Value>) -> Result<Outcome<RouteDecision>, String> {
    let loose: Value = serde_json::from_slice(line).map_err(|error| format!("no JSON: {error}"))?;
    let Value::Object(members) = loose else {
        return Err("a scenario is one JSON object".to_owned());
    };
    let stamp = match random::uuid() {
        Ok(decision_id) => Stamp { decision_id, at: now() },
        Err(error) => return Ok(Err(CommandError::Fault(error.into()))),
    };
    let brings_rules = members.contains_key("rules") || members.contains_key("rule");
    let decided = match (rules.filter(|_| !brings_rules), skillhall_core::json::parse(line)) {
        (Some(rules), Ok(Value::Object(mut members))) => {
            members.insert("rules".to_owned(), rules.clone());
            run(&Value::Object(members), stamp)
        }
        _ => run_line(line, stamp),
    };
    Ok(Ok(decided))
}

/// The list of rules of a file that loads.
fn rules(path: &Path) -> Outcome<Value> {
    let usage = |message: String| {
        CommandError::usage(format!("{}: {message}", path.display()), "name a file with WCP rules; docs/wcp.md")
    };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| usage(error.to_string()))?;
    file.take(4 << 20).read_to_end(&mut bytes).map_err(|error| usage(error.to_string()))?;
    RuleSet::parse(&bytes).map_err(|error| usage(error.to_string()))?;
    let mut document: Value = skillhall_core::json::parse(&bytes).map_err(|error| usage(error.to_string()))?;
    Ok(document.get_mut("rules").map(Value::take).unwrap_or_default())
}

/// Lines of bounded length; blank ones are passed over and counted.
struct Lines {
    from: Box<dyn BufRead>,
    line: Vec<u8>,
    number: u64,
}

impl Lines {
    fn of(from: Box<dyn BufRead>) -> Self {
        Self { from, line: Vec::new(), number: 0 }
    }

    /// The next line that is not blank; an inner error if it is too long, of which no more is kept.
    fn next(&mut self) -> io::Result<Option<Result<&[u8], String>>> {
        loop {
            self.line.clear();
            let read = (&mut self.from).take(MAX_LINE as u64 + 1).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if self.line.len() > MAX_LINE && !self.line.ends_with(b"\n") {
                self.from.skip_until(b'\n')?;
                return Ok(Some(Err(format!("the line is longer than {MAX_LINE} bytes"))));
            }
            if !self.line.trim_ascii().is_empty() {
                return Ok(Some(Ok(self.line.trim_ascii())));
            }
        }
    }
}

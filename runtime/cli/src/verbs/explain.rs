//! `hall explain`: what a code means and what to do.

use clap::Args;
use serde_json::json;
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;

use crate::error::{CommandError, Outcome};
use crate::printer::{Printer, bold, hint};

/// Say what a deny or failure code means and what to do about it
#[derive(Args)]
#[command(
    after_help = "Examples:\n  hall explain ATTEST_HASH_MISMATCH\n  hall explain FAIL_TIME\n  hall explain          # the whole table"
)]
pub(crate) struct Arguments {
    /// The code; without one, every code
    code: Option<String>,
}

pub(crate) fn run(arguments: &Arguments, printer: &Printer) -> Outcome<()> {
    let Some(text) = &arguments.code else {
        let denials = Code::ALL.iter().map(|code| row(*code));
        let failures = FailureCode::ALL.iter().map(|code| failure_row(*code));
        printer.result(&json!({ "codes": denials.chain(failures).collect::<Vec<_>>() }), || {
            let denials = Code::ALL.iter().map(|code| format!("{:<40} {}", code.as_str(), code.summary()));
            denials.chain(FailureCode::ALL.iter().map(|code| format!("{:<40} {}", code.as_str(), code.summary()))).collect()
        });
        return Ok(());
    };
    if let Some(code) = Code::parse(text) {
        printer.result(&row(code), || {
            let gate = code
                .stage()
                .gate()
                .map_or_else(|| format!("before any run ({})", code.stage()), |n| format!("gate {n} ({})", code.stage()));
            lines(code.as_str(), &gate, code.summary(), code.hint())
        });
        return Ok(());
    }
    let wanted = text.trim().to_ascii_uppercase().replace('-', "_");
    if let Some(code) = FailureCode::ALL.iter().copied().find(|code| code.as_str() == wanted) {
        let kind = if code.is_limit() { "a limit was exceeded" } else { "the run failed" };
        printer.result(&failure_row(code), || lines(code.as_str(), kind, code.summary(), code.hint()));
        return Ok(());
    }
    let all = Code::ALL.iter().map(|code| code.as_str()).chain(FailureCode::ALL.iter().map(|code| code.as_str()));
    let nearest = all.max_by(|one, other| strsim::jaro_winkler(one, &wanted).total_cmp(&strsim::jaro_winkler(other, &wanted)));
    Err(CommandError::usage(
        format!("there is no code {wanted}"),
        format!("did you mean {}? `hall explain` lists them all", nearest.unwrap_or_default()),
    ))
}

fn lines(code: &str, place: &str, summary: &str, advice: &str) -> Vec<String> {
    vec![bold(code), format!("  where  {place}"), format!("  what   {summary}"), format!("  {}   {advice}", hint("hint"))]
}

fn row(code: Code) -> serde_json::Value {
    json!({
        "code": code.as_str(),
        "kind": "denial",
        "stage": code.stage().as_str(),
        "gate": code.stage().gate(),
        "summary": code.summary(),
        "hint": code.hint(),
    })
}

fn failure_row(code: FailureCode) -> serde_json::Value {
    json!({ "code": code.as_str(), "kind": "failure", "limit": code.is_limit(), "summary": code.summary(), "hint": code.hint() })
}

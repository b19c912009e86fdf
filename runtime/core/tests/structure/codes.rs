//! `docs/deny-codes.md` is made from the tables of denials and failures. `BLESS=1` writes it.

use std::fmt::Write;
use std::{env, fs};

use skillhall_core::denial::{Code, Stage};
use skillhall_core::failure::FailureCode;

use crate::tree::root;

const HEAD: &str = "# Deny codes and failures

<!-- Made from runtime/core/src/denial.rs and failure.rs: BLESS=1 cargo test -p skillhall-core --test structure -->

A *denial* says that something was refused: nothing ran. A *failure* says that a call was admitted and ended badly. Both
lists are closed. `hall explain CODE` says the same on the command line.

## Denials

Gates 1 to 11 are passed in this order at every call; the first one that refuses gives its code. The command exits with 3,
with 4 for `DENY_UNAUTHENTICATED` and a token that does not hold (`DENY_TOKEN_UNKNOWN`, `_REVOKED`, `_NOT_YET_VALID`, `_EXPIRED`), and with 5 for `DENY_REQUIRES_HUMAN_APPROVAL`.
";

const FAILURES: &str = "
## Failures

The record of a call that failed is closed with the code. The command exits with 7 where a limit was exceeded, with 3 if the run was
killed, with 130 if the caller withdrew it, else with 6.

| code | what happened | what to do |
|---|---|---|
";

fn document() -> String {
    let mut text = HEAD.to_owned();
    let mut stages: Vec<Stage> = Code::ALL.iter().map(|code| code.stage()).collect();
    stages.sort();
    stages.dedup();
    for stage in stages {
        let title = stage.gate().map_or_else(|| format!("Before any run: {stage}"), |gate| format!("Gate {gate}: {stage}"));
        write!(text, "\n### {title}\n\n| code | what was found | what to do |\n|---|---|---|\n").unwrap();
        for code in Code::ALL.iter().filter(|code| code.stage() == stage) {
            row(&mut text, code.as_str(), code.summary(), code.hint());
        }
    }
    text.push_str(FAILURES);
    for code in FailureCode::ALL {
        let summary = if code.is_limit() { format!("{} (limit)", code.summary()) } else { code.summary().to_owned() };
        row(&mut text, code.as_str(), &summary, code.hint());
    }
    text
}

fn row(text: &mut String, code: &str, summary: &str, hint: &str) {
    writeln!(text, "| `{code}` | {} | {} |", cell(summary), cell(hint)).unwrap();
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "&lt;")
}

#[test]
fn the_page_of_deny_codes_is_what_the_tables_give() {
    let path = root().join("docs/deny-codes.md");
    let made = document();
    if env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
    assert!(kept == made, "docs/deny-codes.md differs from the tables at line {differs:?} (BLESS=1 writes it anew)");
}

#[test]
fn each_code_stands_once_and_says_what_to_do() {
    let mut texts: Vec<&str> =
        Code::ALL.iter().map(|code| code.as_str()).chain(FailureCode::ALL.iter().map(|code| code.as_str())).collect();
    let count = texts.len();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), count);
    let denials = Code::ALL.iter().map(|code| (code.as_str(), code.summary(), code.hint()));
    let failures = FailureCode::ALL.iter().map(|code| (code.as_str(), code.summary(), code.hint()));
    for (code, summary, hint) in denials.chain(failures) {
        assert!(summary.ends_with('.') && hint.ends_with('.'), "{code}: a sentence ends with a full stop");
    }
}

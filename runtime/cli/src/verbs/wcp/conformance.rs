//! `hall wcp conformance`: scenarios in, decisions out, and each held against what the reference decided.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use clap::Args;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use skillhall::program;
use skillhall_core::govern::wcp::Stamp;
use skillhall_core::govern::wcp::scenario::run_line;
use skillhall_core::json::sorted;
use skillhall_core::random;

use super::compare::{Difference, differences};
use super::{read, unreadable};
use crate::error::{CommandError, NotAsExpected, Outcome};
use crate::exit::Exit;
use crate::hall::now;
use crate::printer::{Printer, bad, bold, dim, good, shown};

/// The reference's decisions, as this repository has them.
const BUNDLED: &str = include_str!("../../../../../fixtures/vectors/wcp/decisions.json");
/// The task that the vectors' decisions were made for, where a case names none.
const TASK: &str = "task_vec";
/// The most that a program may answer, in bytes.
const MAX_ANSWER: usize = 64 << 20;
/// Places of one case that are shown to people.
const PLACES: usize = 4;

/// Where a stricter answer than the reference's is meant: the case, the code, and why. docs/wcp.md, "Deliberate differences".
const STRICTER: &[(&str, &str, &str)] =
    &[("J01", "DENY_INVALID_INPUT", "an integer beyond 2^53 - 1, which two JSON readers do not read alike")];

/// Hold an implementation of WCP's decision against the reference's decisions
#[derive(Args)]
#[command(
    after_help = "The program gets one scenario a line on stdin, without what is expected, and writes one decision a line to stdout, in order,\nas `hall decide` does. All fields are compared but ids, times and message texts. Exit code: 0 if every case is equal or\ndeliberately stricter, 1 if one is not or the program gave no whole answer.\n\nExamples:\n  hall wcp conformance\n  hall wcp conformance --command 'python3 adapter.py' --deadline 30\n  hall wcp conformance --command 'hall decide' --vectors vectors.json --json"
)]
pub(super) struct Arguments {
    /// The program, as a line for sh [default: this runtime's own decision]
    #[arg(long, value_name = "COMMAND")]
    command: Option<String>,
    /// A file of cases with what is expected of each [default: the reference's, which are built in]
    #[arg(long, value_name = "FILE")]
    vectors: Option<PathBuf>,
    /// How long the program may take for all of them, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    deadline: u64,
}

/// One case of the vectors.
struct Case {
    id: String,
    what: String,
    /// The scenario as it is asked: one line, without what is expected.
    line: String,
    expected: Value,
}

/// How one case came out.
enum End {
    Equal,
    Stricter(&'static str),
    Differs(Vec<Difference>),
    NoAnswer,
}

pub(super) fn run(arguments: &Arguments, printer: &Printer) -> Outcome {
    let cases = match &arguments.vectors {
        None => {
            cases(BUNDLED.as_bytes()).map_err(|fault| CommandError::Fault(anyhow::anyhow!("the built-in vectors: {fault}")))?
        }
        Some(path) => cases(&read(path)?).map_err(|fault| unreadable(path, &fault))?,
    };
    let answers = match &arguments.command {
        None => own(&cases)?,
        Some(command) => {
            printer.note(&format!("asking {} cases of: {}", cases.len(), shown(command)));
            of_program(command, &cases, Duration::from_secs(arguments.deadline), printer)?
        }
    };
    let surplus = answers.len().saturating_sub(cases.len());
    let ends: Vec<End> =
        cases.iter().enumerate().map(|(index, case)| end(case, answers.get(index).and_then(Option::as_ref))).collect();
    let count = |wanted: fn(&End) -> bool| ends.iter().filter(|end| wanted(end)).count();
    let counts = json!({
        "cases": cases.len(),
        "equal": count(|end| matches!(end, End::Equal)),
        "stricter": count(|end| matches!(end, End::Stricter(_))),
        "different": count(|end| matches!(end, End::Differs(_))),
        "unanswered": count(|end| matches!(end, End::NoAnswer)),
        "surplus_lines": surplus,
    });
    let conforms = surplus == 0 && ends.iter().all(|end| matches!(end, End::Equal | End::Stricter(_)));
    let mut object = counts.clone();
    if let Some(members) = object.as_object_mut() {
        members.insert("conforms".into(), conforms.into());
        members.insert("results".into(), cases.iter().zip(&ends).map(|(case, end)| row(case, end)).collect());
    }
    printer.result(&object, || {
        let mut lines: Vec<String> = cases.iter().zip(&ends).flat_map(|(case, end)| told(case, end)).collect();
        let number = |key: &str| counts.get(key).and_then(Value::as_u64).unwrap_or_default();
        lines.push(format!(
            "{} cases: {} equal, {} stricter, {} different, {} unanswered",
            number("cases"),
            number("equal"),
            number("stricter"),
            number("different"),
            number("unanswered")
        ));
        if surplus > 0 {
            lines.push(format!("{} {surplus} lines more than were asked for", bad("✗")));
        }
        lines
    });
    if conforms {
        return Ok(Exit::Done);
    }
    let what = "the answers are not those of the reference".to_owned();
    Err(CommandError::Fault(NotAsExpected { what, hint: "docs/wcp.md says where another answer is meant, and why" }.into()))
}

/// Reads `{"cases": [..]}`. Each case's text is kept as it is but for blanks, so that no number changes on its way.
fn cases(bytes: &[u8]) -> Result<Vec<Case>, String> {
    let file: Map<String, Value> = serde_json::from_slice(bytes).map_err(|error| format!("no JSON object: {error}"))?;
    if !file.get("cases").is_some_and(Value::is_array) {
        return Err("it has no list `cases`".to_owned());
    }
    let raw: std::collections::BTreeMap<String, Box<RawValue>> =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let list = raw.get("cases").map_or("[]", |list| list.get());
    let list: Vec<std::collections::BTreeMap<String, Box<RawValue>>> =
        serde_json::from_str(list).map_err(|error| format!("cases: {error}"))?;
    list.into_iter().enumerate().map(|(index, members)| case(index, &members)).collect()
}

fn case(index: usize, members: &std::collections::BTreeMap<String, Box<RawValue>>) -> Result<Case, String> {
    let text = |key: &str| members.get(key).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let id = text("id").unwrap_or_else(|| format!("#{}", index + 1));
    let expected = members.get("expected").ok_or_else(|| format!("case {id} does not say what is expected"))?;
    let expected = serde_json::from_str(expected.get()).map_err(|error| format!("case {id}: {error}"))?;
    let mut line: Vec<String> = members
        .iter()
        .filter(|(key, _)| *key != "expected")
        .map(|(key, raw)| format!("{}:{}", json!(key), on_one_line(raw.get())))
        .collect();
    if !members.contains_key("task_id") {
        line.push(format!("\"task_id\":{}", json!(TASK)));
    }
    Ok(Case { what: text("what").unwrap_or_default(), line: format!("{{{}}}", line.join(",")), expected, id })
}

/// A JSON text without the blanks between its parts.
fn on_one_line(text: &str) -> String {
    let (mut out, mut within, mut escaped) = (String::with_capacity(text.len()), false, false);
    for character in text.chars() {
        if within || !character.is_ascii_whitespace() {
            out.push(character);
        }
        match character {
            _ if escaped => escaped = false,
            '\\' if within => escaped = true,
            '"' => within = !within,
            _ => {}
        }
    }
    out
}

fn own(cases: &[Case]) -> Outcome<Vec<Option<Value>>> {
    let decide = |case: &Case| {
        let decision_id = random::uuid().map_err(|error| CommandError::Fault(error.into()))?;
        Ok(Some(json!(run_line(case.line.as_bytes(), Stamp { decision_id, at: now() }))))
    };
    cases.iter().map(decide).collect()
}

/// Asks a program. A line of its answer that is no JSON is no answer.
fn of_program(line: &str, cases: &[Case], deadline: Duration, printer: &Printer) -> Outcome<Vec<Option<Value>>> {
    let mut command = Command::new("sh");
    command.args(["-c", line]).env_remove("WCP_ATTEST_HMAC_KEY");
    command.stderr(if printer.narrates() { Stdio::inherit() } else { Stdio::null() });
    let asked: String = cases.iter().flat_map(|case| [case.line.as_str(), "\n"]).collect();
    let answer = program::ask(&mut command, asked.into_bytes(), deadline, MAX_ANSWER)
        .map_err(|error| CommandError::Fault(anyhow::anyhow!("{line}: {error}")))?;
    let lines = answer.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    Ok(lines.map(|line| serde_json::from_slice(line).ok()).collect())
}

fn end(case: &Case, answer: Option<&Value>) -> End {
    let Some(answer) = answer else { return End::NoAnswer };
    let found = differences(&case.expected, answer);
    if found.is_empty() {
        return End::Equal;
    }
    let code = answer.pointer("/deny_reason_if_denied/code").and_then(Value::as_str);
    let stricter = STRICTER.iter().find(|(id, denied, _)| *id == case.id && Some(*denied) == code);
    stricter.map_or(End::Differs(found), |(_, _, why)| End::Stricter(why))
}

fn row(case: &Case, end: &End) -> Value {
    let (result, more) = match end {
        End::Equal => ("equal", Map::new()),
        End::Stricter(why) => ("stricter", Map::from_iter([("why".to_owned(), json!(why))])),
        End::Differs(all) => {
            let all: Vec<Value> = all.iter().map(Difference::to_json).collect();
            ("different", Map::from_iter([("differences".to_owned(), json!(all))]))
        }
        End::NoAnswer => ("unanswered", Map::new()),
    };
    let mut row = Map::from_iter([
        ("id".to_owned(), json!(case.id)),
        ("what".to_owned(), json!(case.what)),
        ("result".to_owned(), json!(result)),
    ]);
    row.extend(more);
    Value::Object(row)
}

fn told(case: &Case, end: &End) -> Vec<String> {
    let line = |mark: String, word: &str| format!("{mark} {:<16} {:<10} {}", bold(&shown(&case.id)), word, shown(&case.what));
    match end {
        End::Equal => vec![line(good("✓"), "equal")],
        End::Stricter(why) => vec![line(good("✓"), "stricter"), format!("    {}", dim(why))],
        End::NoAnswer => vec![line(bad("✗"), "unanswered")],
        End::Differs(all) => {
            let mut lines = vec![line(bad("✗"), "different")];
            lines.extend(
                all.iter()
                    .take(PLACES)
                    .map(|one| format!("    {}: expected {}, found {}", shown(&one.at), short(&one.expected), short(&one.found))),
            );
            if all.len() > PLACES {
                lines.push(format!("    and {} more", all.len() - PLACES));
            }
            lines
        }
    }
}

fn short(value: &Value) -> String {
    let text = sorted(value.clone()).to_string();
    let cut: String = text.chars().take(60).collect();
    shown(&if cut.len() < text.len() { cut + ".." } else { cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_asked_as_it_is_written() {
        let text = "{\"cases\": [{\"id\": \"a\", \"input\": {\n \"x y\" : \"\\\" { \",\n\"n\": 123456789012345678901234567890 }, \"expected\": {}}]}";
        let cases = cases(text.as_bytes()).unwrap();
        let line = "{\"id\":\"a\",\"input\":{\"x y\":\"\\\" { \",\"n\":123456789012345678901234567890},\"task_id\":\"task_vec\"}";
        assert_eq!(cases[0].line, line);
        for broken in ["[]", "{}", "{\"cases\": [5]}", "{\"cases\": [{\"id\": \"a\"}]}"] {
            assert!(super::cases(broken.as_bytes()).is_err(), "{broken}");
        }
    }
}

//! Whether a case came out as it was expected, and what differs.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use skillhall::hall::{Receipt, Rehearsed};
use skillhall::sandbox::{Reason, Touched};
use skillhall_core::capability::{Ask, Asks};
use skillhall_core::failure::FailureCode;
use skillhall_core::json::sorted;

use super::file::{Case, End};
use crate::lines;
use crate::printer::shown;

/// Something that is not as it was expected.
pub(super) struct Difference {
    /// What differs.
    pub(super) what: String,
    pub(super) expected: Value,
    pub(super) found: Value,
}

impl Difference {
    /// For people: what differs, and the lines that do.
    pub(super) fn lines(&self) -> Vec<String> {
        let (expected, found) = (laid_out(&self.expected), laid_out(&self.found));
        let changes = lines::shown(&lines::changes(&shown(&expected), &shown(&found)));
        let rest = changes.len().saturating_sub(SHOWN);
        let mut lines = vec![shown(&self.what)];
        lines.extend(changes.into_iter().take(SHOWN).map(|line| shortened(&line)));
        if rest > 0 {
            lines.push(format!("  … and {rest} more lines; --json tells all of it"));
        }
        lines
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "what": self.what, "expected": self.expected, "found": self.found })
    }
}

/// The most lines of a difference that people are shown, and the most characters of a line.
const SHOWN: usize = 60;
const WIDTH: usize = 300;

fn shortened(line: &str) -> String {
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

/// A value for people to read: a text as its lines, anything else as JSON on several lines, broken where a text in it is;
/// nothing as nothing.
fn laid_out(value: &Value) -> String {
    let value = match value {
        Value::Null => return String::new(),
        Value::String(text) => return text.clone(),
        value => pretty(value),
    };
    let (mut out, mut escapes) = (String::with_capacity(value.len()), false);
    for character in value.chars() {
        out.push(character);
        if escapes && character == 'n' {
            out.push('\n');
        }
        escapes = !escapes && character == '\\';
    }
    out
}

/// As a snapshot is written.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(&sorted(value.clone())).unwrap_or_default()
}

/// What came of a case, as a snapshot keeps it.
pub(super) fn outcome(rehearsed: &Rehearsed) -> Value {
    let receipt = &rehearsed.receipt;
    let mut kept = Map::new();
    let (name, value) = end(receipt);
    kept.insert(name.to_owned(), value);
    kept.insert("powers".to_owned(), json!(used(rehearsed)));
    let (stdout, stderr) = receipt.streams();
    for (name, text) in [("stdout", stdout), ("stderr", stderr)] {
        if !text.is_empty() {
            kept.insert(name.to_owned(), text.into());
        }
    }
    if !receipt.log().is_empty() {
        kept.insert("log".to_owned(), json!(log(receipt)));
    }
    Value::Object(kept)
}

/// How a call ended, under the word that a case uses for it.
fn end(receipt: &Receipt) -> (&'static str, Value) {
    if let Some(denial) = receipt.denial() {
        return ("deny", denial.code.as_str().into());
    }
    match (receipt.output(), receipt.failure()) {
        (Some(output), _) => ("output", output.clone()),
        (None, Some(failure)) => match &failure.error {
            Some(error) if failure.code == FailureCode::Skill => ("error", (**error).clone()),
            _ => ("failure", failure.code.as_str().into()),
        },
        (None, None) => ("output", Value::Null),
    }
}

/// The log as lines: `info: text`, or `info: context: text`.
fn log(receipt: &Receipt) -> Vec<String> {
    let line = |line: &skillhall::sandbox::log::Line| {
        let level = format!("{:?}", line.level).to_lowercase();
        let context = if line.context.is_empty() { String::new() } else { format!("{}: ", line.context) };
        format!("{level}: {context}{}", line.message)
    };
    receipt.log().iter().map(line).collect()
}

/// The powers that a case used, each as a line.
fn used(rehearsed: &Rehearsed) -> Vec<String> {
    let wrote = rehearsed.receipt.resources().file_bytes.is_some_and(|bytes| bytes.used > 0);
    let line = |touched: &Touched| match (touched.capability, touched.what.as_str()) {
        ("files", _) if wrote => "files: written".to_owned(),
        ("files", _) => "files: read".to_owned(),
        (capability, what) => format!("{capability}: {what}"),
    };
    let lines: BTreeSet<String> = rehearsed.used.iter().map(line).collect();
    lines.into_iter().collect()
}

/// Everything that is not as the case expects. `snapshot` is what is kept, if that is what it is held against.
pub(super) fn judge(case: &Case, rehearsed: &Rehearsed, snapshot: Option<&Value>) -> Vec<Difference> {
    let receipt = &rehearsed.receipt;
    let mut differences = unrecorded(receipt);
    let (word, value) = end(receipt);
    let mut differ = |what: String, expected: Value, found: Value| differences.push(Difference { what, expected, found });
    let mut ends = |expected: &'static str, wanted: &Value| {
        if word != expected {
            differ(told(receipt, expected), json!({ expected: wanted }), json!({ word: value }));
        } else if !same(wanted, &value) {
            differ(format!("the {expected} is another"), wanted.clone(), value.clone());
        }
    };
    match &case.expect.end {
        End::Output(wanted) => ends("output", wanted),
        End::Error(wanted) => ends("error", wanted),
        End::Deny(code) => ends("deny", &Value::from(*code)),
        End::Failure(code) if *code == FailureCode::Skill.as_str() && word == "error" => {}
        End::Failure(code) => ends("failure", &Value::from(*code)),
        End::Match(pointers) if word == "output" => {
            for (pointer, wanted) in pointers {
                let found = value.pointer(pointer);
                if found.is_none_or(|found| !same(wanted, found)) {
                    let what = if found.is_some() { "is another" } else { "is not there" };
                    differ(format!("{pointer} in the output {what}"), wanted.clone(), found.cloned().unwrap_or_default());
                }
            }
        }
        End::Match(pointers) => differ(told(receipt, "output"), json!(pointers), json!({ word: value })),
        End::Snapshot => match snapshot {
            Some(kept) => {
                let found = sorted(outcome(rehearsed));
                if !same(kept, &found) {
                    let what =
                        if kept.get(word).is_some() { format!("not as in {}", case.snapshot) } else { told(receipt, "snapshot") };
                    differ(what, kept.clone(), found);
                }
            }
            None => differ(
                format!("there is no {}: hall test --bless writes it", case.snapshot),
                Value::Null,
                sorted(outcome(rehearsed)),
            ),
        },
    }
    let (stdout, stderr) = receipt.streams();
    for (what, wanted, found) in [("stdout", &case.expect.stdout, stdout), ("stderr", &case.expect.stderr, stderr)] {
        if let Some(wanted) = wanted
            && wanted.trim_end_matches('\n') != found.trim_end_matches('\n')
        {
            differ(format!("{what} is another"), wanted.as_str().into(), found.into());
        }
    }
    if let Some(wanted) = case.expect.log.as_ref().filter(|wanted| **wanted != log(receipt)) {
        differ("the log is another".into(), json!(wanted), json!(log(receipt)));
    }
    if let Some(wanted) = case.expect.powers.as_ref().filter(|wanted| **wanted != used(rehearsed)) {
        differ("it used other powers".into(), json!(wanted), json!(used(rehearsed)));
    }
    differences
}

/// Requests that were let through and have no recorded reply: whatever the skill makes of it, the case does not say what it
/// stands for.
pub(super) fn unrecorded(receipt: &Receipt) -> Vec<Difference> {
    let refusals = receipt.refusals().iter().filter(|refusal| refusal.reason == Reason::Unrecorded);
    refusals.map(|refusal| Difference { what: refusal.message.clone(), expected: Value::Null, found: Value::Null }).collect()
}

/// That it ended otherwise, and why.
fn told(receipt: &Receipt, expected: &str) -> String {
    let why = match (receipt.denial(), receipt.failure()) {
        (Some(denial), _) => format!("it was denied: {}: {} ({})", denial.code, denial.message, denial.hint()),
        (None, Some(failure)) => {
            let frames = failure.backtrace.iter().take(8).map(|frame| format!("\n  at {frame}")).collect::<String>();
            format!("it failed: {}: {}{frames}", failure.code, failure.message)
        }
        (None, None) => "it gave an output".to_owned(),
    };
    if expected == "snapshot" { why } else { format!("{why}; {expected} is expected") }
}

/// Whether two values are the same: numbers by their value, as JSON has one kind of them.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one == other || (one.as_f64() == other.as_f64() && (one.is_f64() || other.is_f64()))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len() && one.iter().all(|(key, one)| other.get(key).is_some_and(|other| same(one, other)))
        }
        (one, other) => one == other,
    }
}

/// What is asked for and was used in no case, each as a line. Variables and the fineness of clocks are not seen in use, and not
/// told of here.
pub(super) fn unused(asks: &Asks, used: &BTreeSet<Touched>) -> Vec<String> {
    fn lines<T: Ask>(asks: &[T], is_used: impl Fn(&T) -> bool) -> Vec<String> {
        asks.iter().filter(|ask| !is_used(ask)).map(|ask| format!("{}: {}", T::CAPABILITY, ask.line())).collect()
    }
    let touched =
        |capability: &str, what: &str| used.iter().any(|touched| touched.capability == capability && touched.what == what);
    let sent = |method: &str, origin: &str| touched("http", &format!("{method} {origin}"));
    [
        lines(asks.files.entries(), |ask| ask.is_of_the_package() || touched("files", "")),
        lines(asks.http.entries(), |ask| ask.methods.iter().any(|method| sent(method.as_str(), &ask.origin))),
        lines(asks.sockets.entries(), |ask| touched("sockets", &ask.spelled())),
        lines(&asks.secrets, |ask| touched("secrets", &ask.name)),
        lines(&asks.keyvalue, |ask| touched("keyvalue", &ask.0)),
        lines(&asks.config, |ask| touched("config", &ask.0)),
        lines(&asks.tools, |ask| touched("tools", &ask.skill.to_string())),
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_same_by_their_value() {
        assert!(same(&json!({ "a": [1, 2.0] }), &json!({ "a": [1.0, 2] })));
        assert!(!same(&json!(9_007_199_254_740_993_u64), &json!(9_007_199_254_740_992_u64)));
        for (one, other) in [(json!([1]), json!([1, 2])), (json!({ "a": null }), json!({})), (json!(1), json!("1"))] {
            assert!(!same(&one, &other) && !same(&other, &one), "{one} {other}");
        }
    }

    #[test]
    fn a_difference_is_shown_by_its_lines_and_not_without_end() {
        let difference = |expected: Value, found: Value| Difference { what: "it".into(), expected, found }.lines();
        let svg = |line: &str| json!({ "svg": format!("<svg>\n{line}\n</svg>\\n") });
        let lines = difference(svg("a"), svg("b"));
        assert_eq!(lines, ["it", "   {", "     \"svg\": \"<svg>\\n", "  -a\\n", "  +b\\n", "   </svg>\\\\n\"", "   }"]);
        let many: Vec<usize> = (0..1000).collect();
        let lines = difference(Value::Null, json!(many));
        assert_eq!((lines.len(), lines[SHOWN + 1].as_str()), (SHOWN + 2, "  … and 942 more lines; --json tells all of it"));
        assert!(difference(Value::Null, "é".repeat(1000).into())[1].chars().count() == WIDTH + 1);
    }

    #[test]
    fn what_was_used_in_no_case_is_told() {
        let asks: Asks = serde_json::from_value(json!({
            "files": [{ "mount": "/in", "access": "read" }, { "mount": "/assets", "access": "read" }],
            "http": [{ "origin": "https://a.example", "methods": ["GET", "POST"], "paths": ["/"] }],
            "keyvalue": ["cache"],
            "env": ["LANG"],
        }))
        .expect("asks");
        let touched = |capability, what: &str| Touched { capability, what: what.to_owned() };
        let told = unused(&asks, &BTreeSet::from([touched("http", "POST https://a.example")]));
        assert_eq!(told, ["files: /in (read)", "keyvalue: cache"]);
        assert!(
            unused(&asks, &[touched("files", ""), touched("http", "GET https://a.example"), touched("keyvalue", "cache")].into())
                .is_empty()
        );
    }
}

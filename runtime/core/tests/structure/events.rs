//! `docs/events.md` and the JSON Schema of records are made from the table of events. `BLESS=1` writes them.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::{env, fs};

use skillhall_core::ledger::EventKind;
use skillhall_core::ledger::describe::{Form, Member, Shape, common, forms, schema};

use crate::tree::root;

const HEAD: &str = "# Events

<!-- Made from runtime/core/src/ledger/describe/table.rs: BLESS=1 cargo test -p skillhall-core --test structure -->

Every event is a record of the [ledger](ledger.md): one line of canonical JSON. This page says which members the records of each kind
have. A record has no others. `hall schema event` prints the same as a JSON Schema (2020-12), `hall audit export` writes records as
JSON lines, and `hall audit export --format wcp` the telemetry of WCP that they hold.

A member in *italics* is not always there. Inputs and outputs stand in records by hash, not by value. A kind that announces a change of
the registry has it whole in `change`, as an object with one member of the name that is given here.

## Common members

Every record has `event` (its kind), `sequence` and `time`.

| member | what |
|---|---|
";

/// The common members in the order in which they are told.
const COMMON: [&str; 19] = [
    "sequence",
    "time",
    "decision_id",
    "correlation_id",
    "organisation",
    "caller",
    "skill",
    "version",
    "adapter",
    "tool",
    "matched_rule",
    "policy_version",
    "code",
    "worker",
    "host",
    "end",
    "failure",
    "duration_us",
    "resources",
];

fn page() -> String {
    let mut text = HEAD.to_owned();
    for name in COMMON {
        let member = common(name);
        writeln!(text, "| `{}` | {} ({}) |", member.name, member.says, shape(member.shape)).unwrap();
    }
    text.push_str(
        "| `decision` | ALLOW or DENY, on `skill.execute`. |\n| `hashes` | SHA-256 of things, by what they are of. |\n",
    );
    text.push_str(
        "| `data` | What the kind says beside these, and in any kind `as`: by what right whoever acted did so (`owner`, `token:ID`, or `program`, which vouched for them). |\n| `change` | The change of the registry that the record announces. |\n",
    );
    let mut family = "";
    for kind in EventKind::ALL {
        let of = kind.as_str().split('.').next().unwrap_or_default();
        if of != family {
            family = of;
            write!(text, "\n## {family}\n").unwrap();
        }
        write!(text, "\n### `{}`\n\n{}\n", kind.as_str(), kind.summary()).unwrap();
        for form in forms(*kind) {
            one_form(&mut text, form);
        }
    }
    text
}

fn one_form(text: &mut String, form: &Form) {
    if !form.when.is_empty() {
        write!(text, "\n**{}**{}\n", form.when, form.decision.map(|word| format!(" (`decision` is {word})")).unwrap_or_default())
            .unwrap();
    }
    let flat = |groups: &[&[&'static str]]| groups.iter().flat_map(|group| group.iter().copied()).collect::<Vec<_>>();
    let (must, may) = (flat(form.must), flat(form.may));
    let mut members: Vec<String> = COMMON.iter().filter(|name| must.contains(name)).map(|name| format!("`{name}`")).collect();
    members.extend(COMMON.iter().filter(|name| may.contains(name)).map(|name| format!("*`{name}`*")));
    if !members.is_empty() {
        write!(text, "\nCommon members: {}.\n", members.join(", ")).unwrap();
    }
    if let Some(change) = form.change {
        write!(text, "\n`change`: `{change}`.\n").unwrap();
    }
    if form.hashes.is_empty() && form.data.is_empty() {
        return;
    }
    text.push_str("\n| member | what it holds | what it means |\n|---|---|---|\n");
    rows(text, "hashes", form.hashes);
    rows(text, "data", form.data);
}

fn rows(text: &mut String, place: &str, members: &[Member]) {
    for member in members {
        let name = format!("`{place}.{}`", member.name);
        let name = if member.always { name } else { format!("*{name}*") };
        writeln!(text, "| {name} | {} | {} |", shape(member.shape), member.says).unwrap();
    }
}

fn shape(shape: Shape) -> String {
    match shape {
        Shape::Text => "text".into(),
        Shape::Id => "a name".into(),
        Shape::Digest => "SHA-256".into(),
        Shape::Time => "a moment".into(),
        Shape::Count => "a number".into(),
        Shape::Flag => "true or false".into(),
        Shape::Null => "null".into(),
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", "),
        Shape::List(items) => format!("a list of: {}", self::shape(*items)),
        Shape::Map(values) => format!("an object of: {}", self::shape(*values)),
        Shape::Object(members) => format!("an object with {}", names(members)),
        Shape::One(members) => format!("an object with one of {}", names(members)),
        Shape::Either(shapes) => shapes.iter().map(|shape| self::shape(*shape)).collect::<Vec<_>>().join("; or "),
        Shape::Open => "an object".into(),
    }
}

fn names(members: &[Member]) -> String {
    members
        .iter()
        .map(|member| if member.always { format!("`{}`", member.name) } else { format!("*`{}`*", member.name) })
        .collect::<Vec<_>>()
        .join(", ")
}

fn is_made(path: &str, made: &str) {
    let path = root().join(path);
    if env::var_os("BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let differs = kept.lines().zip(made.lines()).position(|(kept, made)| kept != made);
    assert!(kept == made, "{} differs from the table at line {differs:?} (BLESS=1 writes it anew)", path.display());
}

#[test]
fn the_page_of_events_is_what_the_table_gives() {
    is_made("docs/events.md", &page());
}

#[test]
fn the_schema_of_events_is_what_the_table_gives() {
    is_made("runtime/cli/schemas/event.schema.json", &(serde_json::to_string_pretty(&schema()).unwrap() + "\n"));
}

#[test]
fn the_table_names_what_there_is() {
    for kind in EventKind::ALL {
        let all = forms(*kind);
        assert!(!all.is_empty(), "{kind} has no form");
        for form in all {
            assert!(all.len() == 1 || !form.when.is_empty(), "{kind}: a form among several says when");
            let named: Vec<&str> = form.must.iter().chain(form.may).flat_map(|group| group.iter().copied()).collect();
            for name in &named {
                assert!(COMMON.contains(name) && common(name).name == *name, "{kind}: {name} is no common member");
            }
            let once: BTreeSet<&&str> = named.iter().collect();
            assert_eq!(once.len(), named.len(), "{kind} names a common member twice: {named:?}");
            for member in form.hashes.iter().chain(form.data) {
                assert!(member.says.ends_with('.'), "{kind} {}: a sentence ends with a full stop", member.name);
            }
            assert!(form.hashes.iter().all(|hash| matches!(hash.shape, Shape::Digest)), "{kind}: what is no digest is in data");
        }
    }
    assert_eq!(common("nothing").name, "");
}

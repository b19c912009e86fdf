//! Agent Skills: the SKILL.md of the specification at agentskills.io, within what Claude's API takes of it ("Agent Skills", overview). In a package it is `agent-skill.md`; for an agent it is written
//! out as `NAME/SKILL.md`.
//!
//! The front matter is YAML of the plainest form: each value is a double-quoted text, whose escapes JSON has in the same way. So it is
//! written and read without a YAML parser, and every YAML parser reads the same.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::{Facts, Fault, LICENCE};
use crate::id::ToolName;

const KEYS: [&str; 4] = ["name", "description", "license", "compatibility"];
const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 1024;
const MAX_COMPATIBILITY: usize = 500;
/// Words that Claude keeps for its maker's own skills.
const RESERVED: [&str; 2] = ["anthropic", "claude"];
const FENCE: &str = "---\n";

pub(super) fn make(facts: &Facts<'_>) -> Vec<u8> {
    let skill = &facts.skill;
    let mut text = FENCE.to_owned();
    let mut line = |key: &str, value: &str| text.push_str(&format!("{key}: {}\n", quoted(value)));
    line("name", skill.id.name.as_str());
    line("description", &description(facts));
    if facts.has_licence {
        line("license", &format!("{LICENCE} in the package of {skill}"));
    }
    line("compatibility", &format!("Needs the command hall with {skill} installed"));
    text.push_str("metadata:\n");
    let mut line = |key: &str, value: &str| text.push_str(&format!("  {key}: {}\n", quoted(value)));
    line("skillhall-component", &facts.component());
    line("skillhall-format", "skillhall.adapter.agent-skill.v1");
    line("skillhall-skill", &skill.to_string());
    text.push_str(FENCE);
    text.push_str(&body(facts));
    text.into_bytes()
}

pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::new("", "it is UTF-8"))?;
    let (matter, body) = text
        .strip_prefix(FENCE)
        .and_then(|rest| rest.split_once("\n---\n"))
        .ok_or_else(|| Fault::new("", "it begins with front matter between two lines ---"))?;
    if body.trim().is_empty() {
        return Err(Fault::new("", "behind the front matter it says how the skill is used"));
    }
    let (keys, metadata) = read(matter)?;
    if let Some(key) = keys.keys().find(|key| !KEYS.contains(key)) {
        return Err(Fault::new("", format!("the front matter knows no key {}", key.escape_default())));
    }
    let required = |key: &str| keys.get(key).ok_or_else(|| Fault::new("", format!("the front matter has a {key}")));
    is_name(required("name")?)?;
    let description = required("description")?;
    is_text("description", description, MAX_DESCRIPTION)?;
    if has_tag(description) {
        return Err(Fault::new("", "the description has no XML tags, nor what looks like one"));
    }
    if let Some(compatibility) = keys.get("compatibility") {
        is_text("compatibility", compatibility, MAX_COMPATIBILITY)?;
    }
    if let Some(license) = keys.get("license") {
        is_text("license", license, MAX_COMPATIBILITY)?;
    }
    super::envelope::is_digest(metadata.get("skillhall-component").map(|text| Value::from(text.as_str())).as_ref(), "metadata")
}

/// What the front matter of a SKILL.md says: its keys, with `metadata` as an object.
pub(super) fn front_matter(bytes: &[u8]) -> Option<Map<String, Value>> {
    let (matter, _) = std::str::from_utf8(bytes).ok()?.strip_prefix(FENCE)?.split_once("\n---\n")?;
    let (keys, metadata) = read(matter).ok()?;
    let object = |keys: Keys<'_>| keys.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value))).collect();
    let mut all: Map<String, Value> = object(keys);
    if !metadata.is_empty() {
        all.insert("metadata".to_owned(), Value::Object(object(metadata)));
    }
    Some(all)
}

/// A text in double quotes, as JSON and YAML both read it. A run of dashes is broken up: readers look for the fence by that.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace("---", r"--\u002d")
}

/// What the skill does, and when to use it: by its tools, as many as there is room for.
fn description(facts: &Facts<'_>) -> String {
    let mut text = format!("{}. Use it for its tools: ", facts.summary.trim_end_matches('.'));
    let names: Vec<&str> = facts.tools.keys().map(ToolName::as_str).collect();
    for (index, name) in names.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        let rest = format!(" and {} more.", names.len() - index);
        if text.chars().count() + separator.len() + name.len() + rest.len() > MAX_DESCRIPTION {
            text.push_str(&rest);
            return text;
        }
        text.push_str(separator);
        text.push_str(name);
    }
    text.push('.');
    text
}

fn body(facts: &Facts<'_>) -> String {
    let skill = &facts.skill;
    let mut text = format!("\n# {}\n\n{}\n", skill.id.name, facts.summary);
    let _ = write!(
        text,
        "
The tools of this skill run in a sandbox, through the command `hall`, which checks each call before anything runs. Write the input,
one JSON object that fits the tool's input schema, into a file, and name the file behind an @:

```sh
hall run {skill} --tool TOOL --input @input.json
```

`--input -` reads it from stdin instead. Do not paste text of others into a command line: a shell reads quotes in it. stdout carries
the result as JSON and nothing else; with `--json`, what goes wrong is one JSON object on stderr. Exit codes: 0 done; 2 wrong use;
3 denied, and nothing ran; 5 a person has to approve it first; 6 the tool itself failed; 7 a limit was exceeded. `hall explain CODE`
says what a deny code means and what helps. A denied call stays denied: tell the person who asked, and look for no way round it.
"
    );
    for (name, tool) in &facts.tools {
        let _ = write!(
            text,
            "\n## {name}\n\n{}\n\nInput:\n\n```json\n{}\n```\n\nResult:\n\n```json\n{}\n```\n",
            tool.description, tool.input, tool.output
        );
    }
    text
}

type Keys<'a> = BTreeMap<&'a str, String>;

/// Reads front matter of the plain form: its own keys, and those under `metadata`.
fn read(matter: &str) -> Result<(Keys<'_>, Keys<'_>), Fault> {
    let (mut keys, mut metadata) = (Keys::new(), Keys::new());
    let mut in_metadata = false;
    for line in matter.lines() {
        if line == "metadata:" && !in_metadata {
            in_metadata = true;
            continue;
        }
        let (indented, line) = line.strip_prefix("  ").map_or((false, line), |line| (true, line));
        let value = line.split_once(": ").and_then(|(key, value)| Some((key, serde_json::from_str::<String>(value).ok()?)));
        let Some((key, value)) = value.filter(|_| indented == in_metadata) else {
            return Err(Fault::new(
                "",
                "each line of the front matter is a key and a text in double quotes; metadata comes last",
            ));
        };
        let table = if in_metadata { &mut metadata } else { &mut keys };
        if table.insert(key, value).is_some() {
            return Err(Fault::new("", format!("the key {} comes twice", key.escape_default())));
        }
    }
    Ok((keys, metadata))
}

fn is_name(name: &str) -> Result<(), Fault> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !(1..=MAX_NAME).contains(&name.len()) || !name.bytes().all(allowed) {
        return Err(Fault::name("", format!("a skill's name is 1 to {MAX_NAME} of a-z, 0-9 and '-'")));
    }
    if name.starts_with('-') || name.ends_with('-') || name.contains("--") {
        return Err(Fault::name("", format!("the name {name} neither begins nor ends with '-', nor has two in a row")));
    }
    if let Some(word) = RESERVED.iter().find(|word| name.contains(**word)) {
        return Err(Fault::name("", format!("the name {name} has the word {word}, which is kept for others")));
    }
    Ok(())
}

/// Whether something in the text opens or closes like a tag of XML: an agent is told of it between such tags.
fn has_tag(text: &str) -> bool {
    text.split('<').skip(1).any(|rest| {
        let opens = rest.starts_with(|first: char| first.is_alphabetic() || "/!?_:".contains(first));
        opens && rest.contains('>')
    })
}

fn is_text(key: &str, text: &str, max: usize) -> Result<(), Fault> {
    match text.trim().is_empty() || text.chars().count() > max {
        true => Err(Fault::new("", format!("the {key} has 1 to {max} characters"))),
        false => Ok(()),
    }
}

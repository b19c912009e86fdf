//! The form that every adapter of function tools has: which skill and component it is about, and the tools in the platform's words,
//! to be handed to it as they are. `calls` says which tool of the skill is meant by each name.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{Adapter, Facts, Fault, names};
use crate::digest::Digest;
use crate::id::{SkillRef, ToolName};
use crate::json;

/// Members of the file, all of them always there.
const MEMBERS: [&str; 6] = ["adapter", "calls", "component", "format", "skill", "tools"];
/// The most tools that a platform takes: what `OpenAI` and Gemini take in one request.
const MAX_TOOLS: usize = 128;

/// The file of these tools.
pub(super) fn seal(adapter: Adapter, facts: &Facts<'_>, tools: impl Iterator<Item = Value>) -> Result<Vec<u8>, Fault> {
    bytes(&json!({
        "adapter": adapter.as_str(),
        "calls": facts.tools.keys().map(|tool| (facts.name(tool), json!(tool))).collect::<Map<_, _>>(),
        "component": facts.component(),
        "format": format(adapter),
        "skill": facts.skill,
        "tools": tools.collect::<Vec<_>>(),
    }))
}

/// A JSON file in its one form (RFC 8785).
pub(super) fn bytes(file: &Value) -> Result<Vec<u8>, Fault> {
    json::canonical(file).map_err(|error| Fault::new("", error.to_string()))
}

/// Reads a file and holds each of its tools to a rule.
pub(super) fn open(
    adapter: Adapter,
    bytes: &[u8],
    check: impl Fn(&Map<String, Value>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let file = json::parse(bytes).map_err(|error| Fault::new("", format!("it is no JSON: {error}")))?;
    let file = object(&file, "")?;
    members(file, "", &MEMBERS, &MEMBERS)?;
    for (member, wanted) in [("adapter", adapter.as_str()), ("format", &format(adapter))] {
        if file.get(member).and_then(Value::as_str) != Some(wanted) {
            return Err(Fault::new(format!("/{member}"), format!("it is \"{wanted}\"")));
        }
    }
    is_digest(file.get("component"), "/component")?;
    let skill = file.get("skill").and_then(Value::as_str).and_then(|skill| skill.parse::<SkillRef>().ok());
    let skill = skill.ok_or_else(|| Fault::new("/skill", "it is NAMESPACE/NAME@VERSION"))?;
    let calls = object(file.get("calls").unwrap_or(&Value::Null), "/calls")?;
    let tools = file.get("tools").and_then(Value::as_array).filter(|tools| !tools.is_empty());
    let mut seen = BTreeSet::new();
    let tools = tools.ok_or_else(|| Fault::new("/tools", "it is a list of at least one tool"))?;
    if tools.len() > MAX_TOOLS {
        return Err(Fault::new("/tools", format!("it is a list of at most {MAX_TOOLS} tools")));
    }
    for (index, tool) in tools.iter().enumerate() {
        let tool = object(tool, &format!("/tools/{index}"))?;
        let name =
            tool.get("name").and_then(Value::as_str).ok_or_else(|| Fault::new(format!("/tools/{index}"), "a tool has a name"))?;
        check(tool).map_err(|fault| fault.in_tool(name))?;
        if !seen.insert(name) {
            return Err(Fault::name("/name", "two tools have this name").in_tool(name));
        }
        let called = calls.get(name).and_then(Value::as_str).and_then(|tool| tool.parse::<ToolName>().ok());
        if called.is_none_or(|tool| names::name(&skill.id, &tool) != name) {
            return Err(
                Fault::name("/name", "the name is that of one tool of this skill, and `calls` says of which").in_tool(name)
            );
        }
    }
    match calls.len() == seen.len() {
        true => Ok(()),
        false => Err(Fault::new("/calls", "it has the names of these tools and no others")),
    }
}

/// A value that has to be an object.
pub(super) fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, Fault> {
    value.as_object().ok_or_else(|| Fault::new(at, "it is an object"))
}

/// An object has these members and no others.
pub(super) fn members(object: &Map<String, Value>, at: &str, required: &[&str], known: &[&str]) -> Result<(), Fault> {
    if let Some(missing) = required.iter().find(|member| !object.contains_key(**member)) {
        return Err(Fault::new(at, format!("it has a member {missing}")));
    }
    match object.keys().find(|member| !known.contains(&member.as_str())) {
        Some(unknown) => Err(Fault::new(at, format!("the platform knows no member {} there", unknown.escape_default()))),
        None => Ok(()),
    }
}

/// A text that has to be there and say something.
pub(super) fn text<'a>(object: &'a Map<String, Value>, member: &str) -> Result<&'a str, Fault> {
    let text = object.get(member).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    text.ok_or_else(|| Fault::new(format!("/{member}"), "it is a text that is not empty"))
}

/// A digest with its algorithm, as adapters cite it.
pub(super) fn is_digest(value: Option<&Value>, at: &str) -> Result<(), Fault> {
    let digest = value.and_then(Value::as_str).and_then(|text| text.strip_prefix("sha256:"));
    match digest.is_some_and(|digest| digest.parse::<Digest>().is_ok()) {
        true => Ok(()),
        false => Err(Fault::new(at, "it is sha256: and 64 lower-case hexadecimal digits")),
    }
}

/// A text for the model of at most `max` characters.
pub(super) fn description(tool: &Map<String, Value>, max: usize) -> Result<(), Fault> {
    match text(tool, "description")?.chars().count() > max {
        true => Err(Fault::new("/description", format!("a tool's description has at most {max} characters"))),
        false => Ok(()),
    }
}

/// A name of at most `max` of these characters. `first` says which may stand first.
pub(super) fn name(tool: &Map<String, Value>, max: usize, also: &[u8], first: fn(u8) -> bool) -> Result<(), Fault> {
    let name = text(tool, "name")?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || also.contains(&byte);
    let signs: Vec<String> = also.iter().map(|byte| format!("'{}'", char::from(*byte))).collect();
    if name.len() > max || !name.bytes().all(allowed) {
        return Err(Fault::name("/name", format!("a tool's name is 1 to {max} of A-Z, a-z, 0-9, {}", signs.join(", "))));
    }
    if !name.bytes().next().is_some_and(first) {
        return Err(Fault::name("/name", "a tool's name begins with a letter or '_'"));
    }
    Ok(())
}

fn format(adapter: Adapter) -> String {
    format!("skillhall.adapter.{adapter}.v2")
}

//! The Model Context Protocol: Tool objects of revision 2026-07-28 (`schema/2026-07-28/schema.ts`, server/tools).

use serde_json::{Map, Value, json};

use super::{Adapter, Facts, Fault, envelope};
use crate::capability::{Asked, http};
use crate::package::manifest::{Effect, Tool};
use crate::package::schema::Validator;

const KNOWN: [&str; 7] = ["name", "title", "description", "inputSchema", "outputSchema", "annotations", "_meta"];
const HINTS: [&str; 4] = ["readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"];

/// Whether a result of this schema stands under `result` in `structuredContent`: revisions before 2026-07-28 take objects only, and
/// clients of these are many.
#[must_use]
pub fn wraps_result(output: &Value) -> bool {
    output.get("type").and_then(Value::as_str) != Some("object")
}

pub(super) fn make(facts: &Facts<'_>) -> Result<Vec<u8>, Fault> {
    let tools = facts.tools.iter().map(|(name, tool)| {
        json!({
            "name": facts.name(name),
            "title": title(name.as_str()),
            "description": tool.description,
            "inputSchema": tool.input,
            "outputSchema": output(&tool.output),
            "annotations": annotations(facts, tool),
            "_meta": { "io.github.skillhall/component": facts.component(), "io.github.skillhall/skill": facts.skill },
        })
    });
    envelope::seal(Adapter::Mcp, facts, tools)
}

pub(super) fn check(bytes: &[u8]) -> Result<(), Fault> {
    envelope::open(Adapter::Mcp, bytes, |tool| {
        envelope::members(tool, "", &["name", "description", "inputSchema"], &KNOWN)?;
        // SHOULD in the specification; clients refuse what goes beyond.
        envelope::name(tool, 128, b"_-.", |_| true)?;
        envelope::text(tool, "description")?;
        if tool.contains_key("title") {
            envelope::text(tool, "title")?;
        }
        schema(tool, "inputSchema")?;
        if tool.contains_key("outputSchema") {
            schema(tool, "outputSchema")?;
        }
        annotated(tool)
    })
}

/// A tool's name for people: `mask-text` is "Mask text".
fn title(name: &str) -> String {
    let mut characters = name.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}", characters.as_str().replace('-', " "))
}

fn output(schema: &Value) -> Value {
    if !wraps_result(schema) {
        return schema.clone();
    }
    let mut result = schema.clone();
    let draft = result.as_object_mut().and_then(|members| members.remove("$schema"));
    let mut wrapped =
        json!({ "type": "object", "properties": { "result": result }, "required": ["result"], "additionalProperties": false });
    if let (Some(draft), Some(members)) = (draft, wrapped.as_object_mut()) {
        members.insert("$schema".to_owned(), draft);
    }
    wrapped
}

/// Hints, and the safe ones only where nothing speaks against them: what is not known is said to change things.
fn annotations(facts: &Facts<'_>, tool: &Tool) -> Value {
    let has = |effect| tool.effects.contains(&effect);
    let is_read_only = !has(Effect::Write) && (!has(Effect::External) || reads_outside_only(facts));
    json!({
        "readOnlyHint": is_read_only,
        "destructiveHint": !is_read_only,
        "idempotentHint": is_read_only,
        "openWorldHint": has(Effect::External),
    })
}

/// Whether every way to the outside that the skill asks for only reads: requests of safe methods (RFC 9110, section 9.2.1).
fn reads_outside_only(facts: &Facts<'_>) -> bool {
    use http::Method::{Get, Head, Options};
    let asks = facts.capabilities;
    let safe = |ask: &http::Ask| ask.methods.iter().all(|method| matches!(method, Get | Head | Options));
    asks.tools.is_empty() && !matches!(asks.sockets, Asked::List(_)) && asks.http.entries().iter().all(safe)
}

/// An object schema that means what it says.
fn schema(tool: &Map<String, Value>, member: &str) -> Result<(), Fault> {
    let at = format!("/{member}");
    let schema = tool.get(member).unwrap_or(&Value::Null);
    if schema.get("type").and_then(Value::as_str) != Some("object") {
        return Err(Fault::new(at, "its type is \"object\""));
    }
    match Validator::compile(schema) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::new(at, format!("it is a schema that compiles: {error}"))),
    }
}

fn annotated(tool: &Map<String, Value>) -> Result<(), Fault> {
    let Some(annotations) = tool.get("annotations") else { return Ok(()) };
    let annotations = envelope::object(annotations, "/annotations")?;
    envelope::members(annotations, "/annotations", &[], &HINTS)?;
    let hint = |name: &str| annotations.get(name).is_some_and(|value| *value == Value::Bool(true));
    if let Some((name, _)) = annotations.iter().find(|(_, value)| !value.is_boolean()) {
        return Err(Fault::new(format!("/annotations/{name}"), "a hint is true or false"));
    }
    if hint("readOnlyHint") && hint("destructiveHint") {
        return Err(Fault::new("/annotations", "what is read-only is not destructive"));
    }
    Ok(())
}

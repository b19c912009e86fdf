//! The JSON Schema (2020-12) of records.

use serde_json::{Map, Value, json};

use super::members::{ANY_DATA, COMMON};
use super::{Form, Member, Shape, forms};
use crate::json::sorted;
use crate::ledger::event::{EventKind, MAX_ID};

/// The schema of a record: one form or another of its kind, with its members and no other.
#[must_use]
pub fn schema() -> Value {
    let all = EventKind::ALL.iter().flat_map(|kind| forms(*kind).iter().map(|form| of_form(*kind, form)));
    sorted(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://skillhall.dev/schemas/event.schema.json",
        "title": "A record of the ledger",
        "description": "One line of the ledger, and of what hall audit export writes.",
        "anyOf": all.collect::<Vec<Value>>(),
        "$defs": COMMON.iter().map(|member| (member.name.to_owned(), of_member(member))).collect::<Map<String, Value>>(),
    }))
}

fn of_form(kind: EventKind, form: &Form) -> Value {
    let mut properties = Map::new();
    let mut required = vec!["event", "sequence", "time"];
    properties.insert("event".into(), json!({ "const": kind.as_str() }));
    for name in ["sequence", "time"] {
        properties.insert(name.into(), of_common(name));
    }
    for name in form.must.iter().flat_map(|group| group.iter()) {
        properties.insert((*name).into(), of_common(name));
        required.push(name);
    }
    for name in form.may.iter().flat_map(|group| group.iter()) {
        properties.insert((*name).into(), of_common(name));
    }
    if let Some(decision) = form.decision {
        properties.insert("decision".into(), json!({ "const": decision }));
        required.push("decision");
    }
    let data: Vec<Member> = form.data.iter().chain(ANY_DATA).copied().collect();
    for (name, members) in [("hashes", form.hashes), ("data", &data)] {
        if !members.is_empty() {
            properties.insert(name.into(), of_object(members));
        }
        // One without members is left out as a whole.
        if members.iter().any(|member| member.always) {
            required.push(name);
        }
    }
    if let Some(change) = form.change {
        let one = json!({ "type": "object", "properties": { change: { "type": "object" } }, "required": [change], "additionalProperties": false });
        properties.insert("change".into(), one);
        required.push("change");
    }
    let title = if form.when.is_empty() { kind.as_str().to_owned() } else { format!("{}, {}", kind.as_str(), form.when) };
    required.sort_unstable();
    json!({
        "title": title,
        "description": kind.summary(),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn of_common(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn of_object(members: &[Member]) -> Value {
    let properties: Map<String, Value> = members.iter().map(|member| (member.name.to_owned(), of_member(member))).collect();
    let mut required: Vec<&str> = members.iter().filter(|member| member.always).map(|member| member.name).collect();
    required.sort_unstable();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn of_member(member: &Member) -> Value {
    let mut value = of_shape(member.shape);
    if let Some(object) = value.as_object_mut() {
        object.insert("description".into(), member.says.into());
    }
    value
}

fn of_shape(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!({ "type": "string" }),
        Shape::Id => json!({ "type": "string", "maxLength": MAX_ID, "pattern": "^[^\\u0000-\\u001F\\u007F-\\u009F]*$" }),
        Shape::Digest => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
        Shape::Time => json!({ "type": "string", "format": "date-time", "pattern": "Z$" }),
        Shape::Count => json!({ "type": "integer", "minimum": 0 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Null => json!({ "type": "null" }),
        Shape::Word(words) => json!({ "enum": words }),
        Shape::List(items) => json!({ "type": "array", "items": of_shape(*items) }),
        Shape::Map(values) => json!({ "type": "object", "additionalProperties": of_shape(*values) }),
        Shape::Object(members) => of_object(members),
        Shape::One(members) => {
            let mut object = of_object(members);
            if let Some(object) = object.as_object_mut() {
                object.insert("minProperties".into(), 1.into());
                object.insert("maxProperties".into(), 1.into());
            }
            object
        }
        Shape::Either(shapes) => json!({ "anyOf": shapes.iter().map(|shape| of_shape(*shape)).collect::<Vec<Value>>() }),
        Shape::Open => json!({ "type": "object" }),
    }
}

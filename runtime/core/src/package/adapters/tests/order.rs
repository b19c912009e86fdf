//! An adapter's bytes do not depend on the order in which the members of a schema came.

use serde_json::{Value, json};

use super::{Adapter, Facts, manifest, tool};
use crate::package::manifest::{Manifest, Tool};
use crate::package::schema;
use crate::package::wit::{Field, Type};

/// The same value, whose objects got their members from the last to the first, as far as this build's objects keep that.
fn reversed(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().rev().map(|(name, member)| (name.clone(), reversed(member))).collect::<serde_json::Map<_, _>>().into()
        }
        Value::Array(items) => items.iter().map(reversed).collect(),
        other => other.clone(),
    }
}

/// A tool of whose schema every platform has to be told something in words, and lists names of members.
fn told() -> Tool {
    let fields = ["one", "two", "three"].map(|name| Field { name: name.to_owned(), ty: Type::F64, docs: Some(name.to_owned()) });
    let tuple = Type::Tuple(vec![Type::String, Type::Record(fields.into())]);
    let tool = tool(&tuple, Some(&tuple));
    let narrowing = json!({
        "uniqueItems": true,
        "description": "Only these.",
        "default": { "b": { "d": 1, "c": 2 }, "a": [{ "f": 1, "e": 2 }] },
        "title": "Both",
    });
    let input = schema::narrow_input(tool.input.clone(), &[("p".to_owned(), narrowing.clone())].into()).unwrap();
    Tool { input, output: schema::narrow(tool.output.clone(), &narrowing).unwrap(), ..tool }
}

#[test]
fn every_adapter_is_the_same_for_members_in_any_order() {
    let tool = told();
    let backwards = Tool { input: reversed(&tool.input), output: reversed(&tool.output), ..tool.clone() };
    assert_eq!(tool, backwards);
    let bytes = |adapter: Adapter, manifest: &Manifest| String::from_utf8(adapter.make(&Facts::of(manifest)).unwrap()).unwrap();
    for adapter in Adapter::ALL {
        assert_eq!(bytes(adapter, &manifest("t", tool.clone())), bytes(adapter, &manifest("t", backwards.clone())), "{adapter}");
    }
}

#[test]
fn what_is_said_in_words_stands_in_the_order_of_names() {
    let tool = told();
    for adapter in [Adapter::Openai, Adapter::Gemini] {
        let file: Value = serde_json::from_slice(&adapter.make(&Facts::of(&manifest("t", tool.clone()))).unwrap()).unwrap();
        let schema = ["parameters", "parametersJsonSchema"].iter().find_map(|name| file["tools"][0].get(*name)).unwrap();
        let words = schema["properties"]["p"]["description"].as_str().unwrap();
        let order = ["default: {\"a\":[{\"e\":2,\"f\":1}],\"b\":{\"c\":2,\"d\":1}}", "title: \"Both\"", "uniqueItems: true"];
        assert!(words.contains(&order.join("; ")), "{adapter}: {words}");
    }
    let file: Value = serde_json::from_slice(&Adapter::Openai.make(&Facts::of(&manifest("t", tool))).unwrap()).unwrap();
    let record = &file["tools"][0]["parameters"]["properties"]["p"]["items"]["anyOf"][1];
    assert_eq!(record["required"], json!(["one", "three", "two"]));
}

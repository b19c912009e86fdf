//! Adapters as their platforms, their authors and strangers meet them.

mod awkward;
mod golden;
mod malformed;
mod order;
mod property;
mod shapes;
mod verify;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Adapter, AdapterError, Facts};
use crate::capability::Asks;
use crate::package::manifest::{Effect, Manifest, Tool};
use crate::package::wit::Type;
use crate::package::{sample, schema};

/// The manifest of a sample with this one tool.
fn manifest(name: &str, tool: Tool) -> Manifest {
    Manifest { tools: BTreeMap::from([(name.parse().unwrap(), tool)]), ..sample::manifest(&[]) }
}

/// A tool with one parameter and a result.
fn tool(parameter: &Type, result: Option<&Type>) -> Tool {
    Tool {
        export: "f".into(),
        description: "Does it.".into(),
        effects: vec![],
        input: schema::derive_input(&[("p".to_owned(), parameter.clone())]),
        output: schema::derive_output(result),
    }
}

fn json(adapter: Adapter, manifest: &Manifest) -> Value {
    serde_json::from_slice(&adapter.make(&Facts::of(manifest)).unwrap()).unwrap()
}

/// What a platform is told of a parameter of this type.
fn parameter(adapter: Adapter, ty: &Type) -> Result<Value, AdapterError> {
    let manifest = manifest("t", tool(ty, None));
    let file: Value = serde_json::from_slice(&adapter.make(&Facts::of(&manifest))?).unwrap();
    let schema = ["inputSchema", "parameters", "input_schema", "parametersJsonSchema"]
        .into_iter()
        .find_map(|member| file["tools"][0].get(member))
        .unwrap();
    Ok(schema["properties"]["p"].clone())
}

/// The sample with these capabilities and effects of its one tool.
fn asking(capabilities: &str, effects: &[Effect]) -> Manifest {
    let capabilities: Asks = toml::from_str(capabilities).unwrap();
    let tool = Tool { effects: effects.to_vec(), ..tool(&Type::String, None) };
    Manifest { capabilities, ..manifest("t", tool) }
}

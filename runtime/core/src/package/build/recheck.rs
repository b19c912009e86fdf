//! What a certifier looks at: whether skill.json says what the component's bytes say, whoever made the package.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::adapters;
use super::super::files::Package;
use super::super::limits;
use super::super::manifest::{Manifest, Tool};
use super::super::schema;
use super::super::source::{MAX_DESCRIPTION, MAX_LINE, MAX_LIST, MAX_TIER, check_line, check_text};
use super::super::wit::{self, Interface};
use super::tools::MAX_TOOLS;
use crate::denial::{Code, Denial};

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What: `component`, `imports`, `tools`, `adapters`, `limits`, `text`.
    pub name: String,
    /// Whether it holds.
    pub ok: bool,
    /// What was found, in one sentence.
    pub message: String,
}

/// Looks at a package as if nothing in skill.json could be believed. Every check is always in the answer, and a package is in
/// order only if all are `ok`.
#[must_use]
pub fn recheck(package: &Package) -> Vec<Check> {
    let manifest = package.manifest();
    let interface = wit::read(&package.component()).map_err(|error| format!("component.wasm: {error}"));
    let with_interface = |check: fn(&Manifest, &Interface) -> Result<String, String>| match &interface {
        Ok(interface) => check(manifest, interface),
        Err(error) => Err(error.clone()),
    };
    [
        ("component", with_interface(component)),
        ("imports", with_interface(imports)),
        ("tools", with_interface(tools)),
        ("adapters", adapters(package)),
        ("limits", bounds(manifest)),
        ("text", text(manifest)),
    ]
    .into_iter()
    .map(|(name, result)| {
        let (ok, message) = match result {
            Ok(message) => (true, message),
            Err(message) => (false, message),
        };
        Check { name: name.to_owned(), ok, message }
    })
    .collect()
}

/// Refuses a manifest whose texts would not pass the certifier.
pub(super) fn refuse_text(manifest: &Manifest) -> Result<(), Denial> {
    text(manifest).map(|_| ()).map_err(|message| Denial::new(Code::SchemaInvalid, message))
}

fn component(manifest: &Manifest, interface: &Interface) -> Result<String, String> {
    let stated = &manifest.component;
    for (what, same) in [
        ("imports", stated.imports == super::reaching(interface)),
        ("exports", stated.exports == interface.exports),
        ("world", stated.wit == interface.wit),
    ] {
        if !same {
            return Err(format!("skill.json states other {what} than component.wasm has"));
        }
    }
    Ok("skill.json states the component's imports, exports and world".into())
}

fn imports(manifest: &Manifest, interface: &Interface) -> Result<String, String> {
    manifest.capabilities.validate().map_err(|error| error.to_string())?;
    let imports = super::reaching(interface);
    super::check_imports(&imports, &manifest.capabilities).map_err(|denial| denial.message)?;
    Ok(format!("{} imports are covered by the base and the declared capabilities", imports.len()))
}

fn tools(manifest: &Manifest, interface: &Interface) -> Result<String, String> {
    if manifest.tools.is_empty() || manifest.tools.len() > MAX_TOOLS {
        return Err(format!("a skill has 1 to {MAX_TOOLS} tools, and this one has {}", manifest.tools.len()));
    }
    for (name, tool) in &manifest.tools {
        fault_of_tool(tool, interface).map_or(Ok(()), |fault| Err(format!("the tool {name}: {fault}")))?;
    }
    Ok(format!("{} tools have the schemas that the component gives, narrowed at most", manifest.tools.len()))
}

fn fault_of_tool(tool: &Tool, interface: &Interface) -> Option<String> {
    let Some(function) = interface.functions.iter().find(|function| function.export == tool.export) else {
        return Some(format!("component.wasm exports no function '{}'", tool.export.escape_default()));
    };
    if let Some(reason) = &function.refused {
        return Some(format!("{} cannot be a tool: {reason}", function.export));
    }
    let derived_input = schema::derive_input(&function.params);
    let derived_output = schema::derive_output(function.result.as_ref());
    for (part, stated, derived) in [("input", &tool.input, &derived_input), ("output", &tool.output, &derived_output)] {
        if let Err(error) = schema::Validator::compile(stated) {
            return Some(format!("its {part} schema does not compile: {error}"));
        }
        if !schema::is_narrowing_of(stated, derived) {
            return Some(format!("its {part} schema is not the one that the component gives, narrowed at most"));
        }
    }
    let mut effects = tool.effects.clone();
    effects.sort_unstable();
    effects.dedup();
    (effects != tool.effects).then(|| "its effects are not sorted, or one comes twice".to_owned())
}

fn adapters(package: &Package) -> Result<String, String> {
    adapters::verify(package).map_err(|error| error.denial().to_string())?;
    let names: Vec<&str> = package.manifest().adapters.keys().map(String::as_str).collect();
    Ok(if names.is_empty() { "the package has no adapters".into() } else { format!("skill.json gives {}", names.join(", ")) })
}

fn bounds(manifest: &Manifest) -> Result<String, String> {
    if manifest.policy_tier > MAX_TIER {
        return Err(format!("the policy tier is {}, and tiers are 0 to {MAX_TIER}", manifest.policy_tier));
    }
    limits::check(&manifest.limits)?;
    Ok("limits and policy tier are within their bounds".into())
}

fn text(manifest: &Manifest) -> Result<String, String> {
    let named = |what: &str, fault: String| format!("{what}: {fault}");
    check_line(&manifest.summary, MAX_LINE).map_err(|fault| named("summary", fault))?;
    for (what, texts) in [("authors", &manifest.authors), ("audit_events", &manifest.audit_events)] {
        if texts.len() > MAX_LIST {
            return Err(format!("{what} has more than {MAX_LIST} entries"));
        }
        texts.iter().try_for_each(|line| check_line(line, MAX_LINE)).map_err(|fault| named(what, fault))?;
    }
    if manifest.provides.len() > MAX_LIST {
        return Err(format!("provides has more than {MAX_LIST} entries"));
    }
    for (name, tool) in &manifest.tools {
        check_text(&tool.description, MAX_DESCRIPTION).map_err(|fault| named(&format!("the tool {name}"), fault))?;
        for schema in [&tool.input, &tool.output] {
            strings(schema).map_err(|fault| named(&format!("the tool {name}, in a schema"), fault))?;
        }
    }
    Ok("every text is bounded and holds no hidden characters".into())
}

/// Holds every text in a schema to the rule for descriptions, but for the length: schemas have a bound of their own.
fn strings(schema: &Value) -> Result<(), String> {
    let hidden = |text: &str| if text.trim().is_empty() { Ok(()) } else { check_text(text, usize::MAX) };
    match schema {
        Value::String(text) => hidden(text),
        Value::Array(items) => items.iter().try_for_each(strings),
        Value::Object(members) => members.iter().try_for_each(|(key, value)| hidden(key).and_then(|()| strings(value))),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

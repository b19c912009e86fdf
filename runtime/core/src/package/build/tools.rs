//! Which exported functions are tools, and what their manifest entries say.

use std::collections::BTreeMap;

use super::super::manifest::{Effect, Tool};
use super::super::schema;
use super::super::source::{Source, ToolSource};
use super::super::wit::{Function, Interface};
use crate::capability::{Asked, Asks, files};
use crate::denial::{Code, Denial};
use crate::id::ToolName;

/// The most tools of a skill.
pub(super) const MAX_TOOLS: usize = 128;

/// The tools that skill.toml names, or else all that can be.
pub(super) fn of(source: &Source, interface: &Interface) -> Result<BTreeMap<ToolName, Tool>, Denial> {
    let chosen = if source.tools.is_empty() { all(interface)? } else { named(source, interface)? };
    if chosen.len() > MAX_TOOLS {
        return Err(invalid(format!("the skill has {} tools; at most {MAX_TOOLS} are allowed", chosen.len()))
            .advise("Name the functions that are tools in skill.toml under [tools]."));
    }
    chosen.into_iter().map(|(name, function)| Ok((name.clone(), tool(source, &name, function)?))).collect()
}

fn named<'a>(source: &Source, interface: &'a Interface) -> Result<Vec<(ToolName, &'a Function)>, Denial> {
    source.tools.iter().map(|(name, tool)| Ok((name.clone(), find(interface, name, tool)?))).collect()
}

/// The function that a tool's `export` names: by its full name, or without the version if only one fits.
fn find<'a>(interface: &'a Interface, name: &ToolName, tool: &ToolSource) -> Result<&'a Function, Denial> {
    let exact = interface.functions.iter().find(|function| function.export == tool.export);
    let unversioned: Vec<&Function> =
        interface.functions.iter().filter(|function| without_version(&function.export) == tool.export).collect();
    let function = match (exact, unversioned.as_slice()) {
        (Some(function), _) | (None, &[function]) => function,
        (None, &[]) => return Err(no_export(interface, name, &tool.export)),
        (None, several) => {
            let versions: Vec<&str> = several.iter().map(|function| function.export.as_str()).collect();
            return Err(of_tool(name, format!("'{}' fits several exports: {}", tool.export, versions.join(", "))));
        }
    };
    match &function.refused {
        None => Ok(function),
        Some(reason) => Err(of_tool(name, format!("{} cannot be a tool: {reason}", function.export))),
    }
}

fn no_export(interface: &Interface, name: &ToolName, export: &str) -> Denial {
    let denial = of_tool(name, format!("the component exports no function '{}'", export.escape_default()));
    let likeness = |function: &&Function| strsim::jaro_winkler(without_version(&function.export).as_str(), export);
    match interface.functions.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other))) {
        Some(nearest) => denial
            .detail("nearest", nearest.export.as_str())
            .advise(format!("Name one of its exports in skill.toml; the nearest is '{}'.", nearest.export)),
        None => denial.advise("The component exports no function at all; export one in its WIT world."),
    }
}

/// `a:b/c@1.0.0#f` without its version.
fn without_version(export: &str) -> String {
    match export.split_once('#') {
        Some((interface, function)) => format!("{}#{function}", interface.split_once('@').map_or(interface, |(name, _)| name)),
        None => export.to_owned(),
    }
}

/// What componentize-py calls when it builds a component, and leaves in its exports.
const PYTHONS_OWN: &str = "exports#init";

/// Every function that can be a tool, but those of WASI's own interfaces (`wasi:cli/run` of a command) and of the language's tools: they
/// are entry points.
fn all(interface: &Interface) -> Result<Vec<(ToolName, &Function)>, Denial> {
    let candidates: Vec<&Function> = interface
        .functions
        .iter()
        .filter(|function| function.refused.is_none() && !function.export.starts_with("wasi:") && function.export != PYTHONS_OWN)
        .collect();
    if candidates.is_empty() {
        let refused: Vec<String> = interface
            .functions
            .iter()
            .filter_map(|function| function.refused.as_ref().map(|reason| format!("{}: {reason}", function.export)))
            .take(10)
            .collect();
        return Err(invalid("the component exports no function that can be a tool").detail("refused", refused));
    }
    let mut names: BTreeMap<ToolName, &Function> = BTreeMap::new();
    for function in &candidates {
        let is_alone = candidates.iter().filter(|other| other.name.eq_ignore_ascii_case(&function.name)).count() == 1;
        let name = if is_alone { function.name.clone() } else { qualified(function) };
        let name = name.to_ascii_lowercase().parse::<ToolName>().map_err(|error| {
            invalid(format!("{}: {error}", function.export)).advise("Give the tool a name in skill.toml under [tools].")
        })?;
        if let Some(other) = names.insert(name.clone(), function) {
            return Err(of_tool(&name, format!("both {} and {} would have this name", other.export, function.export))
                .advise("Give the tools names in skill.toml under [tools]."));
        }
    }
    Ok(names.into_iter().collect())
}

/// `interface-function` of `namespace:package/interface@version#function`; a bare function keeps its name.
fn qualified(function: &Function) -> String {
    match function.export.split_once('#') {
        Some((interface, name)) => {
            let interface = interface.split_once('@').map_or(interface, |(name, _)| name);
            format!("{}-{name}", interface.rsplit(['/', ':']).next().unwrap_or(interface))
        }
        None => function.name.clone(),
    }
}

fn tool(source: &Source, name: &ToolName, function: &Function) -> Result<Tool, Denial> {
    let written = source.tools.get(name);
    let mut input = schema::derive_input(&function.params);
    let mut output = schema::derive_output(function.result.as_ref());
    let at = |part: &str, error: &schema::SchemaError| of_tool(name, format!("{part}: {error}")).detail("part", part.to_owned());
    let narrowings = written.map(|written| &written.input).cloned().unwrap_or_default();
    input = schema::narrow_input(input, &narrowings).map_err(|error| at("input", &error))?;
    if let Some(narrowing) = written.and_then(|written| written.output.as_ref()) {
        output = schema::narrow(output, narrowing).map_err(|error| at("output", &error))?;
    }
    schema::Validator::compile(&output).map_err(|error| at("output", &error))?;
    let described = written.and_then(|written| written.description.as_deref()).or(function.docs.as_deref());
    Ok(Tool {
        export: function.export.clone(),
        // A skill's summary says less than a tool's own description, and more than nothing.
        description: described.map(str::trim).filter(|text| !text.is_empty()).unwrap_or(&source.summary).to_owned(),
        effects: written.and_then(|written| written.effects.clone()).unwrap_or_else(|| possible_effects(&source.capabilities)),
        input,
        output,
    })
}

/// All that a skill's capabilities would let a tool do.
fn possible_effects(asks: &Asks) -> Vec<Effect> {
    let mounts = asks.files.entries();
    let external = matches!(asks.http, Asked::List(_)) || matches!(asks.sockets, Asked::List(_)) || !asks.tools.is_empty();
    let write = mounts.iter().any(|mount| mount.access == files::Access::Write) || !asks.keyvalue.is_empty();
    let read = !mounts.is_empty() || !asks.keyvalue.is_empty() || !asks.env.is_empty() || !asks.config.is_empty();
    [(Effect::Read, read), (Effect::Write, write), (Effect::External, external)]
        .into_iter()
        .filter_map(|(effect, possible)| possible.then_some(effect))
        .collect()
}

fn invalid(message: impl Into<String>) -> Denial {
    Denial::new(Code::SchemaInvalid, message)
}

fn of_tool(name: &ToolName, message: impl std::fmt::Display) -> Denial {
    invalid(format!("the tool {name}: {message}")).detail("tool", name.as_str())
}

//! skill.toml: what an author writes, read strictly.
//!
//! Unknown keys are errors with the nearest known key as a hint, sizes and times have units, and every fault is told with
//! its line and column.

mod keys;
mod text;
mod units;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use semver::Version;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use toml::de::DeTable;

use super::adapters::Adapter;
use super::manifest::{Effect, LimitsAsk};
use crate::capability::Asks;
use crate::id::{CapabilityId, Namespace, SkillId, SkillName, SkillRef, ToolName};

pub use keys::known_keys;
pub use text::{check_line, check_text};
pub use units::{UnitError, parse_bytes, parse_time};

/// The most bytes of a skill.toml.
pub const MAX: u64 = 256 << 10;
/// The highest policy tier (WCP's tiers are 0 to 8).
pub const MAX_TIER: u8 = 8;

/// The most bytes of a text that is one line: a summary, an author.
pub const MAX_LINE: usize = 200;
/// The most bytes of a tool's description.
pub const MAX_DESCRIPTION: usize = 4096;
/// The most entries of a list of texts: authors, audit events, provided capability ids.
pub const MAX_LIST: usize = 32;

const MAX_TOOLS: usize = 128;

/// skill.toml does not say what a skill needs, or not in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("skill.toml:{line}:{column}: {message}")]
pub struct SourceError {
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The nearest key that is known, if a key is not.
    pub nearest: Option<String>,
}

/// The content of a skill.toml.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Who the skill belongs to.
    pub namespace: Namespace,
    /// Its name there.
    pub name: SkillName,
    /// Its semantic version.
    pub version: Version,
    /// One line for people and agents.
    pub summary: String,
    /// Who wrote it, each `Name <address>`.
    pub authors: Vec<String>,
    /// 0 to 8: the least scrutiny it asks for.
    pub policy_tier: u8,
    /// Whether gate 3 asks for an attestation; true if not written.
    pub attestation_required: bool,
    /// Events the author wants recorded beyond what a host always records.
    pub audit_events: Vec<String>,
    /// WCP capability ids that a caller may ask for instead of the skill by name.
    pub provides: Vec<CapabilityId>,
    /// The component's path, relative to the folder of skill.toml.
    pub component: String,
    /// The command that makes the component.
    pub build: Option<String>,
    /// The adapters that are made of it; all if not written.
    pub adapters: BTreeSet<Adapter>,
    /// The powers it asks for.
    pub capabilities: Asks,
    /// The budgets it asks for.
    pub limits: LimitsAsk,
    /// Its tools by name; empty means every exported function that can be one.
    pub tools: BTreeMap<ToolName, ToolSource>,
}

/// What skill.toml says of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSource {
    /// The exported function: `namespace:package/interface#function`, with or without a version, or a bare function name.
    pub export: String,
    /// For people and agents; if not written, the doc comment in the skill's WIT.
    pub description: Option<String>,
    /// What the tool does to the world; if not written, all that the skill's capabilities would let it do.
    pub effects: Option<Vec<Effect>>,
    /// By parameter: keywords that narrow the schema of the WIT type.
    pub input: BTreeMap<String, Value>,
    /// Keywords that narrow the schema of the result.
    pub output: Option<Value>,
}

impl Source {
    /// The skill in this version.
    #[must_use]
    pub fn reference(&self) -> SkillRef {
        SkillId { namespace: self.namespace.clone(), name: self.name.clone() }.at(self.version.clone())
    }
}

/// Reads a skill.toml.
///
/// # Errors
/// At the first fault, with its place: no TOML, an unknown or missing key, a value that is not of its kind.
pub fn parse(text: &str) -> Result<Source, SourceError> {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX {
        return Err(SourceError { message: format!("larger than {MAX} bytes"), line: 1, column: 1, nearest: None });
    }
    let table = DeTable::parse(text).map_err(|error| toml_error(text, &error))?;
    if let Some(unknown) = keys::unknown(table.get_ref()) {
        let nearest = unknown.nearest;
        let hint = nearest.map(|key| format!("; did you mean '{key}'?")).unwrap_or_default();
        let message = format!("unknown key '{}' in {}{hint}", unknown.key.escape_default(), unknown.table);
        return Err(at(text, &unknown.span, message, nearest.map(str::to_owned)));
    }
    let written = Written::deserialize(toml::Deserializer::from(table)).map_err(|error| toml_error(text, &error))?;
    Ok(written.into_source())
}

fn toml_error(text: &str, error: &toml::de::Error) -> SourceError {
    at(text, &error.span().unwrap_or(0..0), error.message().trim_end().replace('\n', ": "), None)
}

fn at(text: &str, span: &Range<usize>, message: String, nearest: Option<String>) -> SourceError {
    let before = text.get(..span.start).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    SourceError {
        message,
        line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
        column: before.get(line_start..).map_or(0, |line| line.chars().count()) + 1,
        nearest,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    skill: Skill,
    #[serde(default, deserialize_with = "capabilities")]
    capabilities: Asks,
    #[serde(default, deserialize_with = "limits")]
    limits: LimitsAsk,
    #[serde(default, deserialize_with = "tools")]
    tools: BTreeMap<ToolName, Tool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Skill {
    namespace: Namespace,
    name: SkillName,
    #[serde(deserialize_with = "version")]
    version: Version,
    #[serde(deserialize_with = "line")]
    summary: String,
    #[serde(default, deserialize_with = "lines")]
    authors: Vec<String>,
    #[serde(deserialize_with = "tier")]
    policy_tier: u8,
    #[serde(default = "yes")]
    attestation_required: bool,
    #[serde(default, deserialize_with = "event_names")]
    audit_events: Vec<String>,
    #[serde(default, deserialize_with = "provides")]
    provides: Vec<CapabilityId>,
    #[serde(deserialize_with = "relative_path")]
    component: String,
    #[serde(default, deserialize_with = "command")]
    build: Option<String>,
    #[serde(default = "all_adapters", deserialize_with = "adapters")]
    adapters: BTreeSet<Adapter>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Limits {
    #[serde(default, deserialize_with = "units::bytes")]
    memory: Option<u64>,
    #[serde(default, deserialize_with = "units::time")]
    time: Option<u64>,
    #[serde(default, deserialize_with = "units::fuel")]
    fuel: Option<u64>,
    #[serde(default, deserialize_with = "units::bytes")]
    output: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    #[serde(deserialize_with = "line")]
    export: String,
    #[serde(default, deserialize_with = "description")]
    description: Option<String>,
    #[serde(default, deserialize_with = "effects")]
    effects: Option<Vec<Effect>>,
    #[serde(default)]
    input: BTreeMap<String, Narrowing>,
    #[serde(default)]
    output: Option<Narrowing>,
}

struct Narrowing(Value);

impl Written {
    fn into_source(self) -> Source {
        let Self { skill, capabilities, limits, tools } = self;
        Source {
            namespace: skill.namespace,
            name: skill.name,
            version: skill.version,
            summary: skill.summary,
            authors: skill.authors,
            policy_tier: skill.policy_tier,
            attestation_required: skill.attestation_required,
            audit_events: skill.audit_events,
            provides: skill.provides,
            component: skill.component,
            build: skill.build,
            adapters: skill.adapters,
            capabilities,
            limits,
            tools: tools.into_iter().map(|(name, tool)| (name, tool.into_source())).collect(),
        }
    }
}

impl Tool {
    fn into_source(self) -> ToolSource {
        ToolSource {
            export: self.export,
            description: self.description,
            effects: self.effects,
            input: self.input.into_iter().map(|(parameter, narrowing)| (parameter, narrowing.0)).collect(),
            output: self.output.map(|narrowing| narrowing.0),
        }
    }
}

fn yes() -> bool {
    true
}

fn custom<E: serde::de::Error>(message: impl std::fmt::Display) -> E {
    E::custom(message)
}

fn capabilities<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Asks, D::Error> {
    let asks = Asks::deserialize(deserializer)?;
    asks.validate().map_err(custom)?;
    Ok(asks)
}

fn limits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LimitsAsk, D::Error> {
    let Limits { memory, time, fuel, output } = Limits::deserialize(deserializer)?;
    let limits = LimitsAsk { memory_bytes: memory, time_ms: time, fuel, output_bytes: output };
    super::limits::check(&limits).map_err(custom)?;
    Ok(limits)
}

fn provides<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<CapabilityId>, D::Error> {
    let ids = Vec::<CapabilityId>::deserialize(deserializer)?;
    if ids.len() > MAX_LIST {
        return Err(custom(format_args!("at most {MAX_LIST} entries")));
    }
    Ok(ids)
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Version, D::Error> {
    let text = String::deserialize(deserializer)?;
    crate::id::parse_version(&text).ok_or_else(|| custom("a semantic version such as \"1.2.0\""))
}

fn tier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = i64::deserialize(deserializer)?;
    u8::try_from(number).ok().filter(|tier| *tier <= MAX_TIER).ok_or_else(|| custom("a policy tier from 0 to 8"))
}

fn line<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    check_line(&text, MAX_LINE).map_err(custom)?;
    Ok(text)
}

fn lines<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let lines = Vec::<String>::deserialize(deserializer)?;
    if lines.len() > MAX_LIST {
        return Err(custom(format_args!("at most {MAX_LIST} entries")));
    }
    lines.iter().try_for_each(|text| check_line(text, MAX_LINE)).map_err(custom)?;
    Ok(lines)
}

fn event_names<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let names = lines(deserializer)?;
    let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_lowercase() || b"._-".contains(&byte));
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        return Err(custom(format_args!("'{}' is no name of an event: a-z, '.', '_' and '-'", name.escape_default())));
    }
    Ok(names)
}

fn relative_path<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let path = line(deserializer)?;
    if path.starts_with('/') || path.contains('\\') {
        return Err(custom("a path relative to the folder of skill.toml, with '/' between its names"));
    }
    Ok(path)
}

fn command<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    check_line(&text, 1024).map_err(custom)?;
    Ok(Some(text))
}

fn all_adapters() -> BTreeSet<Adapter> {
    Adapter::ALL.into()
}

fn adapters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<Adapter>, D::Error> {
    let mut adapters = BTreeSet::new();
    for name in Vec::<String>::deserialize(deserializer)? {
        if !adapters.insert(name.parse::<Adapter>().map_err(custom)?) {
            return Err(custom(format_args!("the adapter '{name}' is named twice")));
        }
    }
    Ok(adapters)
}

fn description<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    check_text(&text, MAX_DESCRIPTION).map_err(custom)?;
    Ok(Some(text))
}

fn effects<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Effect>>, D::Error> {
    let mut effects = Vec::<Effect>::deserialize(deserializer)?;
    effects.sort_unstable();
    effects.dedup();
    Ok(Some(effects))
}

fn tools<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<ToolName, Tool>, D::Error> {
    let tools = BTreeMap::<ToolName, Tool>::deserialize(deserializer)?;
    if tools.len() > MAX_TOOLS {
        return Err(custom(format_args!("at most {MAX_TOOLS} tools")));
    }
    Ok(tools)
}

impl<'de> Deserialize<'de> for Narrowing {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        json_of(toml::Value::Table(table)).map(Self).map_err(custom)
    }
}

/// TOML as JSON, where both mean the same; canonical JSON has to be able to hold it.
fn json_of(value: toml::Value) -> Result<Value, String> {
    Ok(match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Boolean(bool) => Value::Bool(bool),
        toml::Value::Integer(number) if number.unsigned_abs() <= crate::json::canonical::MAX_SAFE_INTEGER => number.into(),
        toml::Value::Integer(number) => return Err(format!("the integer {number} is beyond 2^53 - 1")),
        toml::Value::Float(number) => {
            serde_json::Number::from_f64(number).map(Value::Number).ok_or("a number in a schema is finite")?
        }
        toml::Value::Datetime(_) => return Err("a schema has no dates; write it as a string".into()),
        toml::Value::Array(items) => Value::Array(items.into_iter().map(json_of).collect::<Result<_, _>>()?),
        toml::Value::Table(members) => {
            Value::Object(members.into_iter().map(|(key, value)| Ok((key, json_of(value)?))).collect::<Result<_, String>>()?)
        }
    })
}

#[cfg(test)]
#[path = "tests/source.rs"]
mod tests;

//! Descriptions of a skill's tools in the forms that other platforms read: one file a platform, made at build and kept under
//! `adapters/` in the package.
//!
//! An adapter is made from what stands in skill.json (schemas, descriptions, capabilities) and cites the component's digest. It never
//! decides anything: gate 8 holds every input to the schema of skill.json, so an adapter may say less than that schema and
//! never more. Because it can be made again by anyone, [`verify`] needs no trust in whoever made it.

mod agent_skill;
mod anthropic;
mod dialect;
mod envelope;
mod gemini;
mod mcp;
pub mod names;
mod openai;
mod owasp;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::files::Package;
use super::layout;
use super::manifest::{Manifest, Tool};
use crate::capability::Asks;
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::id::{SkillRef, ToolName};
use crate::json::sorted;

pub use mcp::wraps_result;

/// A platform that a skill is described for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Adapter {
    /// The Model Context Protocol, revision 2026-07-28: Tool objects.
    Mcp,
    /// `OpenAI`: function tools in strict mode.
    Openai,
    /// Anthropic: tools of the Messages API.
    Anthropic,
    /// Gemini: function declarations.
    Gemini,
    /// Agent Skills (agentskills.io): a SKILL.md.
    AgentSkill,
    /// OWASP's Universal Skill Format, version 1.0.
    Owasp,
}

impl Adapter {
    /// Every adapter.
    pub const ALL: [Self; 6] = [Self::Mcp, Self::Openai, Self::Anthropic, Self::Gemini, Self::AgentSkill, Self::Owasp];

    /// Its name: in skill.toml, and as the adapter of a call that comes through it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mcp => "mcp",
            Self::Openai => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::AgentSkill => "agent-skill",
            Self::Owasp => "owasp",
        }
    }

    /// Where it lies in a package.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Mcp => "adapters/mcp.json",
            Self::Openai => "adapters/openai.json",
            Self::Anthropic => "adapters/anthropic.json",
            Self::Gemini => "adapters/gemini.json",
            Self::AgentSkill => "adapters/agent-skill.md",
            Self::Owasp => "adapters/owasp.json",
        }
    }

    /// Makes its file. The same facts give the same bytes, and what is made has passed [`Self::check`].
    ///
    /// # Errors
    /// If the platform cannot be told of the skill within its rules; which tool and which rule.
    pub fn make(self, facts: &Facts<'_>) -> Result<Vec<u8>, AdapterError> {
        let bytes = match self {
            Self::Mcp => mcp::make(facts),
            Self::Openai => openai::make(facts),
            Self::Anthropic => anthropic::make(facts),
            Self::Gemini => gemini::make(facts),
            Self::AgentSkill => Ok(agent_skill::make(facts)),
            Self::Owasp => owasp::make(facts),
        }
        .map_err(|fault| fault.of(self))?;
        self.check(&bytes)?;
        Ok(bytes)
    }

    /// Holds a file to the platform's own rules, whoever made it.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(self, bytes: &[u8]) -> Result<(), AdapterError> {
        let within = u64::try_from(bytes.len()).is_ok_and(|size| size <= layout::MAX_FILE);
        let checked = match self {
            _ if !within => Err(Fault::new("", format!("it is larger than {} bytes", layout::MAX_FILE))),
            Self::Mcp => mcp::check(bytes),
            Self::Openai => openai::check(bytes),
            Self::Anthropic => anthropic::check(bytes),
            Self::Gemini => gemini::check(bytes),
            Self::AgentSkill => agent_skill::check(bytes),
            Self::Owasp => owasp::check(bytes),
        };
        checked.map_err(|fault| fault.of(self))
    }
}

impl fmt::Display for Adapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no adapter has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{}' is no adapter{}; there are {}",
    name.escape_default(),
    nearest.map(|nearest| format!(" (did you mean '{nearest}'?)")).unwrap_or_default(),
    Adapter::ALL.map(Adapter::as_str).join(", ")
)]
pub struct UnknownAdapter {
    /// The name.
    pub name: String,
    /// The adapter whose name is most like it, if any is like it at all.
    pub nearest: Option<Adapter>,
}

impl FromStr for Adapter {
    type Err = UnknownAdapter;

    fn from_str(name: &str) -> Result<Self, UnknownAdapter> {
        let likeness = |adapter: &Self| strsim::jaro_winkler(name, adapter.as_str());
        // Of short names one slip of the finger makes very unlike ones.
        let is_like = |adapter: &Self| likeness(adapter) > 0.75 || strsim::osa_distance(name, adapter.as_str()) == 1;
        Self::ALL.into_iter().find(|adapter| adapter.as_str() == name).ok_or_else(|| UnknownAdapter {
            name: name.chars().take(64).collect(),
            nearest: Self::ALL.into_iter().filter(is_like).max_by(|one, other| likeness(one).total_cmp(&likeness(other))),
        })
    }
}

/// What an adapter is made from.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    skill: SkillRef,
    summary: &'a str,
    authors: &'a [String],
    component: Digest,
    capabilities: &'a Asks,
    /// With sorted schemas: texts are made of them, and lists of names in their order.
    tools: BTreeMap<ToolName, Tool>,
    has_licence: bool,
}

impl<'a> Facts<'a> {
    /// What a manifest says. Its list of adapters plays no part in it.
    #[must_use]
    pub fn of(manifest: &'a Manifest) -> Self {
        Self {
            skill: manifest.reference(),
            summary: &manifest.summary,
            authors: &manifest.authors,
            component: manifest.component.sha256,
            capabilities: &manifest.capabilities,
            tools: manifest.tools.iter().map(|(name, tool)| (name.clone(), with_sorted_schemas(tool))).collect(),
            has_licence: manifest.docs.contains_key(LICENCE),
        }
    }

    /// What each platform calls the tool.
    fn name(&self, tool: &ToolName) -> String {
        names::name(&self.skill.id, tool)
    }

    fn component(&self) -> String {
        format!("sha256:{}", self.component)
    }
}

fn with_sorted_schemas(tool: &Tool) -> Tool {
    Tool { input: sorted(tool.input.clone()), output: sorted(tool.output.clone()), ..tool.clone() }
}

/// Where a package keeps the skill's licence.
const LICENCE: &str = "docs/license";

/// An adapter does not fit its platform, or is not the one that skill.json gives.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the adapter {adapter}{}{}: {rule}", tool.as_ref().map(|tool| format!(", tool {}", tool.escape_default())).unwrap_or_default(),
    if pointer.is_empty() { String::new() } else { format!(", at {}", pointer.escape_default()) })]
pub struct AdapterError {
    /// Which adapter, or the path of a file that is none.
    pub adapter: String,
    /// Which of its tools, if it is about one.
    pub tool: Option<String>,
    /// Where: a JSON pointer into the tool, or into the file if it is about no tool. Empty for the whole.
    pub pointer: String,
    /// The rule that is broken, as a sentence.
    pub rule: String,
    /// What to do, where that is not plain from the rule.
    pub advice: Option<String>,
}

impl AdapterError {
    /// The denial for it.
    #[must_use]
    pub fn denial(&self) -> Denial {
        let mut denial = Denial::new(Code::AdapterMalformed, self.to_string())
            .detail("adapter", self.adapter.as_str())
            .detail("pointer", self.pointer.as_str())
            .detail("rule", self.rule.as_str());
        if let Some(tool) = &self.tool {
            denial = denial.detail("tool", tool.as_str());
        }
        match &self.advice {
            Some(advice) => denial.advise(advice.as_str()),
            None => denial,
        }
    }
}

/// Makes the chosen adapters, by their paths in the package.
///
/// # Errors
/// The first that does not fit its platform.
pub fn make(chosen: &BTreeSet<Adapter>, facts: &Facts<'_>) -> Result<BTreeMap<String, Vec<u8>>, AdapterError> {
    chosen.iter().map(|adapter| Ok((adapter.path().to_owned(), adapter.make(facts)?))).collect()
}

/// What the front matter of a package's SKILL.md says, `metadata` as an object; `None` if it is no such file.
#[must_use]
pub fn front_matter(skill_md: &[u8]) -> Option<serde_json::Map<String, serde_json::Value>> {
    agent_skill::front_matter(skill_md)
}

/// Makes each adapter that a package has again, from its skill.json, and holds the package's own against it, byte for byte. A
/// package may have fewer adapters than there are, or none.
///
/// # Errors
/// For the first that is no known adapter, does not fit its platform, or is not what skill.json gives.
pub fn verify(package: &Package) -> Result<(), AdapterError> {
    let facts = Facts::of(package.manifest());
    for path in package.manifest().adapters.keys() {
        let Some(adapter) = Adapter::ALL.into_iter().find(|adapter| adapter.path() == path) else {
            return Err(AdapterError {
                adapter: path.clone(),
                tool: None,
                pointer: String::new(),
                rule: format!("no adapter is kept there; there are {}", Adapter::ALL.map(Adapter::path).join(", ")),
                advice: Some(REBUILD.to_owned()),
            });
        };
        if package.file(path).map(|bytes| &bytes[..]) != Some(&adapter.make(&facts)?[..]) {
            let fault =
                Fault::new("", "it is not what skill.json gives: someone else wrote it, or another version of hall".to_owned());
            return Err(AdapterError { advice: Some(REBUILD.to_owned()), ..fault.of(adapter) });
        }
    }
    Ok(())
}

const REBUILD: &str = "Build the package again with this version of hall; adapters are made by `hall build` and never by hand.";

/// A broken rule, before it is said of which adapter.
#[derive(Clone, Debug)]
struct Fault {
    tool: Option<String>,
    pointer: String,
    rule: String,
    /// Whether another name for the tool would mend it.
    is_name: bool,
}

impl Fault {
    fn new(pointer: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { tool: None, pointer: pointer.into(), rule: rule.into(), is_name: false }
    }

    fn name(pointer: impl Into<String>, rule: impl Into<String>) -> Self {
        Self { is_name: true, ..Self::new(pointer, rule) }
    }

    fn in_tool(self, tool: &str) -> Self {
        Self { tool: Some(tool.chars().take(128).collect()), ..self }
    }

    fn of(self, adapter: Adapter) -> AdapterError {
        let leave_out = format!("leave this adapter out with a list `adapters` without \"{adapter}\" under [skill]");
        let advice = match (&self.tool, self.is_name) {
            (Some(tool), true) => {
                format!(
                    "Give the tool another name in skill.toml ([tools.NAME] with the export of {}), or {leave_out}.",
                    tool.escape_default()
                )
            }
            (None, true) => format!("Give the skill another name in skill.toml, or {leave_out}."),
            (_, false) => format!("Change the tool's types, names or description, or {leave_out}."),
        };
        AdapterError {
            adapter: adapter.as_str().to_owned(),
            tool: self.tool,
            pointer: self.pointer,
            rule: self.rule,
            advice: Some(advice),
        }
    }
}

//! By which names of the owner's choice do agents call tools?

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::config::ConfigError;
use crate::id::{IdError, SkillId, ToolName};

/// How agents see this hall over the Model Context Protocol.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct McpSection {
    /// Names of the owner's choice: each means one tool, whichever version of its skill is installed. What it means is judged by the same
    /// gates as under its own name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, ToolId>,
}

/// A tool, whatever the version of its skill: `org.acme/redact/mask`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct ToolId {
    /// Its skill.
    pub skill: SkillId,
    /// Its name there.
    pub tool: ToolName,
}

impl McpSection {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The owner's name for a tool, if there is one.
    #[must_use]
    pub fn name_of(&self, skill: &SkillId, tool: &ToolName) -> Option<&str> {
        let is_meant = |meant: &ToolId| meant.skill == *skill && meant.tool == *tool;
        self.names.iter().find(|(_, meant)| is_meant(meant)).map(|(name, _)| name.as_str())
    }

    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if let Some(name) = self.names.keys().find(|name| !is_name(name)) {
            return Err(ConfigError::new(format!(
                "mcp.names: '{}' is no name: 1 to 64 of letters, digits, '_' and '-', beginning with a letter, and neither with 'org_' nor \
                 with 'x_', as tools' own names do",
                name.escape_debug()
            )));
        }
        let mut meant = BTreeSet::new();
        match self.names.values().find(|tool| !meant.insert(*tool)) {
            Some(tool) => Err(ConfigError::new(format!("mcp.names: {tool} has two names"))),
            None => Ok(()),
        }
    }
}

/// Whether it is a name that every client takes, and that no tool has by itself.
fn is_name(name: &str) -> bool {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
    let is_free = !["org_", "x_"].iter().any(|beginning| name.starts_with(beginning));
    (1..=64).contains(&name.len()) && is_plain && is_free && name.starts_with(|first: char| first.is_ascii_alphabetic())
}

impl fmt::Display for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.skill, self.tool)
    }
}

impl FromStr for ToolId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (skill, tool) = text.rsplit_once('/').unwrap_or((text, ""));
        Ok(Self { skill: skill.parse()?, tool: tool.parse()? })
    }
}

impl TryFrom<String> for ToolId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<ToolId> for String {
    fn from(tool: ToolId) -> Self {
        tool.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Result<McpSection, String> {
        let section: McpSection = toml::from_str(text).map_err(|error| error.to_string())?;
        section.validate().map_err(|error| error.to_string())?;
        Ok(section)
    }

    #[test]
    fn a_name_means_one_tool_and_none_is_another_tools_own() {
        let good = section("[names]\nmask = 'org.acme/redact/mask'\nA-1_b = 'x.ada/a/a'\norganise = 'x.ada/b/b'").unwrap();
        let (skill, tool) = ("org.acme/redact".parse().unwrap(), "mask".parse().unwrap());
        assert_eq!(good.name_of(&skill, &tool), Some("mask"));
        assert_eq!(good.name_of(&skill, &"redact".parse().unwrap()), None);
        let long = "a".repeat(65);
        for name in ["\"\"", "1a", "_a", "'a b'", "'a.b'", "'a/b'", "ä", "org_acme_redact", "x_ada_a", &long] {
            let name = if name == "ä" { "'ä'" } else { name };
            assert!(section(&format!("[names]\n{name} = 'org.acme/redact/mask'")).is_err(), "{name}");
        }
        for tool in
            ["org.acme/redact", "redact/mask", "org.acme/redact/", "org.acme/redact@1.0.0/mask", "org.acme/redact/mask/x", ""]
        {
            assert!(section(&format!("[names]\nmask = '{tool}'")).is_err(), "{tool}");
        }
        let two = section("[names]\none = 'org.acme/redact/mask'\ntwo = 'org.acme/redact/mask'").unwrap_err();
        assert!(two.contains("org.acme/redact/mask has two names"), "{two}");
    }
}

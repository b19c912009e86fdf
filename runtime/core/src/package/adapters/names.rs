//! By which name is a tool called, of all the tools of all the skills?
//!
//! `org.skillhall/csv-stats` with the tool `summarise` is `org_skillhall_csv-stats_summarise`; a tool that has its skill's name is not
//! said twice: `org_skillhall_redact`. Names of namespaces, skills and tools hold no underscore, so no two tools share a name, and
//! what is installed beside a skill never changes the names of its tools. Clients take at most 64 characters: of a longer name the
//! end stands for the whole.

use crate::digest::Digest;
use crate::id::{SkillId, ToolName};

/// The longest name that every client takes.
const LONGEST: usize = 64;
/// How many hexadecimal digits stand for what was cut.
const DIGITS: usize = 12;

/// The name of a tool for agents and platforms: 5 to 64 of `a-z`, `0-9`, `_` and `-`, beginning with a letter.
#[must_use]
pub fn name(skill: &SkillId, tool: &ToolName) -> String {
    let mut name = beginning(skill);
    if tool.as_str() != skill.name.as_str() {
        name = format!("{name}_{tool}");
    }
    if name.len() <= LONGEST {
        return name;
    }
    let digest = Digest::of(name.as_bytes()).to_string();
    // All of it is ASCII.
    let (kept, end) = (name.get(..LONGEST - DIGITS - 2).unwrap_or_default(), digest.get(..DIGITS).unwrap_or_default());
    format!("{kept}__{end}")
}

/// Which tool of a skill is meant by a name, if it can be one of this skill's; `tools` are those that it has, asked for if the name
/// does not say it by itself.
#[must_use]
pub fn tool_of(skill: &SkillId, name: &str, tools: impl FnOnce() -> Vec<ToolName>) -> Option<ToolName> {
    let beginning = beginning(skill);
    if name.contains("__") {
        let shared = beginning.len().min(LONGEST - DIGITS - 2);
        let same = name.as_bytes().get(..shared) == beginning.as_bytes().get(..shared);
        return if same { tools().into_iter().find(|tool| self::name(skill, tool) == name) } else { None };
    }
    let rest = name.strip_prefix(&beginning)?;
    let tool = if rest.is_empty() { skill.name.as_str() } else { rest.strip_prefix('_')? };
    tool.parse().ok().filter(|tool| self::name(skill, tool) == name)
}

fn beginning(skill: &SkillId) -> String {
    format!("{}_{}", skill.namespace.as_str().replace('.', "_"), skill.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill(text: &str) -> SkillId {
        text.parse().unwrap()
    }

    fn tool(text: &str) -> ToolName {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_says_its_tool_and_no_other() {
        let long = "a".repeat(60);
        let skills = ["org.acme/redact", "org.acme/redact-all", "x.acme/redact", "org.acme-redact/all", "org.a/redact"];
        let skills: Vec<SkillId> = skills
            .iter()
            .map(|text| skill(text))
            .chain([skill(&format!("org.acme/{long}")), skill(&format!("org.{long}/a"))])
            .collect();
        let tools: Vec<ToolName> = ["redact", "all", "redact-all", "a", &long].iter().map(|text| tool(text)).collect();
        let mut seen = std::collections::BTreeSet::new();
        for one in &skills {
            for named in &tools {
                let name = name(one, named);
                assert!(name.len() <= 64, "{name}");
                assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)), "{name}");
                assert!(seen.insert(name.clone()), "{name} names two tools");
                for other in &skills {
                    let meant = tool_of(other, &name, || tools.clone());
                    assert_eq!(meant.as_ref(), (one == other).then_some(named), "{name} of {other}");
                }
            }
        }
    }

    #[test]
    fn what_no_tool_is_called_is_found_nowhere() {
        let redact = skill("org.acme/redact");
        for name in
            ["", "redact", "org_acme", "org_acme_redact_", "org_acme_redactx", "org_acme_redact_redact", "org.acme/redact"]
        {
            assert_eq!(tool_of(&redact, name, || vec![tool("redact")]), None, "{name}");
        }
        assert_eq!(name(&redact, &tool("redact")), "org_acme_redact");
        assert_eq!(name(&redact, &tool("mask-text")), "org_acme_redact_mask-text");
    }
}

//! Which tools a caller could call at this moment, for a way in that tells its callers what there is.

use std::sync::Arc;

use serde_json::{Value, json};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::{Call, Caller, Input};
use skillhall_core::govern::decide::{Moment, offer};
use skillhall_core::id::{SkillRef, ToolName};
use skillhall_core::json;
use skillhall_core::package::adapters::names;
use skillhall_core::package::{Adapter, Package};
use skillhall_core::random;
use skillhall_core::registry::StandingQuery;
use skillhall_core::registry::standing::{Standing, consult, marks_verdict};
use skillhall_core::trust::VerifiedPackage;

use super::folder::{CONFIG, configuration_digest};
use super::{Fault, Hall};

/// A tool that can be called now, as its package describes it for a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct Offered {
    /// The skill, in the version that is called: the newest installed.
    pub skill: SkillRef,
    /// The tool.
    pub tool: ToolName,
    /// What the package's adapter says of it, in the platform's words.
    pub description: Value,
}

/// A skill of which a tool can be called now, as its SKILL.md describes it for agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// The skill, in the version that is called: the newest installed.
    pub skill: SkillRef,
    /// The SKILL.md, as it stands in the verified package.
    pub text: Arc<[u8]>,
}

impl Hall {
    /// The newest installed version of each skill, by the skills' names, whatever it stands like.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`.
    pub fn newest(&self) -> Result<Vec<SkillRef>, Denial> {
        Ok(self.newest_installed()?.into_iter().map(|published| published.skill).collect())
    }

    /// Every tool that this caller could call at this moment through this platform, in the order of their names: gates 1 to 10 would
    /// let it pass, if its input fits, or would ask a person. Nothing is kept, and nothing is recorded: the next call is judged anew.
    ///
    /// # Errors
    /// `DENY_REGISTRY_UNREACHABLE`, `DENY_TIME_UNKNOWN`; a skill that is refused is left out.
    pub fn offered(&self, platform: Adapter, caller: Option<&Caller>) -> Result<Vec<Offered>, Denial> {
        let mut all = Vec::new();
        for skill in self.newest()? {
            // What stands in the way of one skill says nothing of the others.
            all.extend(self.offered_of(&skill, platform, caller).unwrap_or_default());
        }
        Ok(all)
    }

    /// The SKILL.md of every skill of which this caller could call a tool at this moment through this platform, by the skills' names. One
    /// whose adapter `agent-skill` is degraded is left out. Nothing is kept, and nothing is recorded.
    ///
    /// # Errors
    /// As [`Hall::offered`].
    pub fn sheets(&self, platform: Adapter, caller: Option<&Caller>) -> Result<Vec<Sheet>, Denial> {
        Ok(self.newest()?.into_iter().filter_map(|skill| self.sheet_of(skill, platform, caller).ok().flatten()).collect())
    }

    fn sheet_of(&self, skill: SkillRef, platform: Adapter, caller: Option<&Caller>) -> Result<Option<Sheet>, Denial> {
        let (standing, package) = self.standing_now(&skill, caller)?;
        if self.judged(&skill, platform, caller, &standing, &package)?.is_empty() {
            return Ok(None);
        }
        let Some(text) = package.package().file(Adapter::AgentSkill.path()) else { return Ok(None) };
        let adapter = Adapter::AgentSkill.as_str().parse().map_err(|_| internal("no adapter's id"))?;
        let call = Call::new(skill.clone(), Input::from_value(&json!({}))?);
        // Each adapter has its own standing.
        let query = StandingQuery { adapter, ..self.query(&call, caller) };
        marks_verdict(&consult(self.registry()?, query)?, &[])?;
        Ok(Some(Sheet { skill, text: text.clone() }))
    }

    fn offered_of(&self, skill: &SkillRef, platform: Adapter, caller: Option<&Caller>) -> Result<Vec<Offered>, Denial> {
        let (standing, package) = self.standing_now(skill, caller)?;
        self.judged(skill, platform, caller, &standing, &package)
    }

    /// How a skill stands for a caller, and its package if it may be read.
    fn standing_now(&self, skill: &SkillRef, caller: Option<&Caller>) -> Result<(Standing, VerifiedPackage), Denial> {
        let call = Call::new(skill.clone(), Input::from_value(&json!({}))?);
        let standing = consult(self.registry()?, self.query(&call, caller))?;
        let package = self.verified(&standing, self.now()?, &mut |_| {})?;
        Ok((standing, package))
    }

    /// Of a skill's tools those that would pass.
    fn judged(
        &self,
        skill: &SkillRef,
        platform: Adapter,
        caller: Option<&Caller>,
        standing: &Standing,
        package: &VerifiedPackage,
    ) -> Result<Vec<Offered>, Denial> {
        let now = self.now()?;
        let mut call = Call::new(skill.clone(), Input::from_value(&json!({}))?);
        let mut offered = Vec::new();
        for description in described(package.package(), platform)? {
            let tools = || package.package().manifest().tools.keys().cloned().collect();
            let name = description.get("name").and_then(Value::as_str);
            let Some(tool) = name.and_then(|name| names::tool_of(&skill.id, name, tools)) else { continue };
            call.tool = Some(tool.clone());
            let moment = Moment { decision_id: random::uuid().map_err(|error| internal(&error.to_string()))?, now };
            if offer(standing, package, &call, caller, self.policy(), moment).is_ok() {
                offered.push(Offered { skill: skill.clone(), tool, description });
            }
        }
        Ok(offered)
    }

    /// Whether the hall's configuration on the disk still is the one that this hall was opened with. If it is not, gate 7 refuses
    /// every call as soon as the host is enrolled anew; a program that lives long then opens the hall again.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_current(&self) -> Result<bool, Fault> {
        let rules = self.folder.text(&self.config.policy.rules)?;
        let policies = self.folder.policies(&self.config.policy.cedar)?;
        Ok(configuration_digest(&self.folder.text(CONFIG)?, &rules, &policies) == self.policy_digest)
    }
}

/// The tools in a package's file for a platform; none, if it has no such file.
fn described(package: &Package, platform: Adapter) -> Result<Vec<Value>, Denial> {
    let Some(bytes) = package.file(platform.path()) else { return Ok(Vec::new()) };
    let mut file = json::parse(&bytes[..]).map_err(|error| internal(&error.to_string()))?;
    match file.get_mut("tools").map(Value::take) {
        Some(Value::Array(tools)) => Ok(tools),
        _ => Ok(Vec::new()),
    }
}

fn internal(message: &str) -> Denial {
    Denial::new(Code::InternalError, message)
}

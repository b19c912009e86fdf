//! hall.toml: what this host is and what it allows. The default allows nothing beyond the bounded base.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::capability;
use crate::id::{HostId, Namespace, OrgId, SkillId};

pub use super::wcp::Env;
use super::wcp::controls::{ControlId, TierControls, TierError, built_in};

/// The configuration of one hall.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HallConfig {
    /// What this host is.
    pub hall: HallSection,
    /// What it decides by.
    pub policy: PolicySection,
    /// How persons approve calls.
    #[serde(default, skip_serializing_if = "ApprovalsSection::is_default")]
    pub approvals: ApprovalsSection,
    /// How agents see this hall.
    #[serde(default, skip_serializing_if = "McpSection::is_default")]
    pub mcp: McpSection,
    /// Host maximums of the budgets a skill may ask for, and of compiling it.
    #[serde(default)]
    pub limits: LimitsSection,
    /// Where guests run.
    #[serde(default, skip_serializing_if = "IsolationSection::is_default")]
    pub isolation: IsolationSection,
    /// How much organisations may have run.
    #[serde(default, skip_serializing_if = "QuotasSection::is_none")]
    pub quotas: QuotasSection,
    /// Powers granted to a skill, by `namespace/name`. Absent: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<SkillId, capability::Policy>,
}

pub use super::isolation::IsolationSection;
pub use super::limits::LimitsSection;
pub use super::mcp::{McpSection, ToolId};
pub use crate::quotas::QuotasSection;

/// What this host is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HallSection {
    /// Its id, by which it is enrolled.
    pub id: HostId,
    /// The organisation that runs it, and to which its owner belongs.
    pub organisation: OrgId,
    /// Who calls when the command is used without a token.
    pub owner: String,
    /// Where it stands: the `env` of every WCP decision.
    pub env: Env,
    /// Namespaces that are this hall's own.
    pub namespaces: Vec<Namespace>,
    /// The one namespace to which the secret in `WCP_ATTEST_HMAC_KEY` belongs, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attest_env_namespace: Option<Namespace>,
}

/// What the host decides by.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySection {
    /// The policy's version, as it stands in every decision record.
    pub version: String,
    /// The file with WCP's rules, beside hall.toml.
    pub rules: String,
    /// The least policy tier of any skill here.
    #[serde(default)]
    pub min_tier: u8,
    /// The least policy tier of skills whose namespace is not this hall's own. At least 2.
    #[serde(default = "foreign_tier")]
    pub foreign_min_tier: u8,
    /// Controls that are in place around this host, beside those that the runtime itself is
    /// ([`BUILT_IN`](super::wcp::controls::BUILT_IN)).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub controls: BTreeSet<ControlId>,
    /// Controls that each policy tier requires beyond the lower ones, instead of the documented default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tiers: Option<BTreeMap<String, BTreeSet<ControlId>>>,
    /// Policies in Cedar, asked as a policy gate: paths below the hall's folder, with `*` for any text in the last part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cedar: Vec<String>,
    /// A program that is asked as a policy gate, by its absolute path, and its arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// An HTTP endpoint that is asked as a policy gate: its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<String>,
    /// How long the program and the endpoint have for one verdict, in milliseconds. At most [`MAX_GATE_DEADLINE_MS`].
    #[serde(default = "gate_deadline", skip_serializing_if = "is_gate_deadline")]
    pub gate_deadline_ms: u64,
}

/// The longest that a policy gate may have for one verdict, in milliseconds.
pub const MAX_GATE_DEADLINE_MS: u64 = 60_000;

/// How long a policy gate has for one verdict unless hall.toml says otherwise, in milliseconds.
pub const GATE_DEADLINE_MS: u64 = 2_000;

fn gate_deadline() -> u64 {
    GATE_DEADLINE_MS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_gate_deadline(deadline: &u64) -> bool {
    *deadline == GATE_DEADLINE_MS
}

/// How persons approve calls.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalsSection {
    /// For how many minutes a call waits for an answer.
    pub pending_minutes: u32,
    /// Within how many minutes a yes must be used.
    pub use_minutes: u32,
    /// Where one's own approval of one's own call counts.
    pub own: OwnApproval,
    /// Where persons answer, if they have a page for that: `{id}` stands for the approval's id. Whoever opens it has to prove there who
    /// they are; the address by itself is no right to anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Where the person who calls may also be the one who approves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnApproval {
    /// In policy tier 0 alone; the receipt says so.
    #[serde(rename = "tier-0")]
    TierZero,
    /// Nowhere.
    Never,
}

impl Default for ApprovalsSection {
    fn default() -> Self {
        Self { pending_minutes: 24 * 60, use_minutes: 15, own: OwnApproval::TierZero, url: None }
    }
}

impl ApprovalsSection {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The page on which persons answer about this approval, if there is one.
    #[must_use]
    pub fn page(&self, id: &str) -> Option<String> {
        let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        self.url.as_ref().filter(|_| is_id).map(|url| url.replace("{id}", id))
    }

    fn validate(&self) -> Result<(), ConfigError> {
        if self.url.as_deref().is_some_and(|url| !is_page(url)) {
            return Err(ConfigError::new(
                "approvals.url is an address with https (or http of this machine), without a name before an @ and with {id} behind the host",
            ));
        }
        let most = 365 * 24 * 60;
        let minutes = [("pending_minutes", self.pending_minutes), ("use_minutes", self.use_minutes)];
        match minutes.into_iter().find(|(_, minutes)| !(1..=most).contains(minutes)) {
            Some((name, _)) => Err(ConfigError::new(format!("approvals.{name} is 1 to {most}"))),
            None => Ok(()),
        }
    }
}

/// Whether this can be shown to a person as the place where they answer.
fn is_page(url: &str) -> bool {
    let (rest, is_local) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (_, Some(rest)) => (rest, true),
        _ => return false,
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok()).map_or(authority, |(host, _)| host);
    let is_host = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-[:]".contains(&byte));
    let is_plain = url.len() <= 1024 && url.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\^`|".contains(&byte));
    is_host && is_plain && path.matches("{id}").count() == 1 && (!is_local || ["localhost", "127.0.0.1", "[::1]"].contains(&host))
}

fn foreign_tier() -> u8 {
    2
}

impl PolicySection {
    fn validate_gates(&self) -> Result<(), String> {
        let is_part = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.chars().any(char::is_control);
        for path in &self.cedar {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let parts = path.len() <= 256 && path.split('/').all(is_part);
            if !parts || folder.contains('*') || path.matches('*').count() > 1 || !path.ends_with(".cedar") {
                return Err(format!(
                    "policy.cedar: '{}' is no path of .cedar files below the hall's folder, such as policies/*.cedar",
                    path.escape_debug()
                ));
            }
        }
        // By an absolute path: whom a name means, the environment of whoever calls would say.
        let is_word = |word: &String| word.len() <= 4096 && !word.contains('\0');
        let is_program = self.command.first().is_none_or(|program| program.starts_with('/'));
        if !is_program || self.command.len() > 64 || !self.command.iter().all(is_word) {
            return Err("policy.command is a program by its absolute path, and its arguments".into());
        }
        if self.http.as_ref().is_some_and(|url| url.is_empty() || url.len() > 2048 || url.chars().any(char::is_control)) {
            return Err("policy.http is a URL of at most 2048 characters".into());
        }
        if !(1..=MAX_GATE_DEADLINE_MS).contains(&self.gate_deadline_ms) {
            return Err(format!("policy.gate_deadline_ms is 1 to {MAX_GATE_DEADLINE_MS}"));
        }
        Ok(())
    }
}

/// hall.toml is no configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("hall.toml: {message}")]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    /// A message; if it is about one key, it begins with that: `policy.version is ..`.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// The error with the line and column of the value that it is about, both from 1, if it begins with a key that is there.
    fn placed(self, text: &str) -> Self {
        let key = self.message.split([' ', ':']).next().unwrap_or_default();
        let Some((line, column)) = key.contains('.').then(|| place(text, key)).flatten() else { return self };
        Self { message: format!("line {line}, column {column}: {}", self.message) }
    }
}

/// Where the value of a dotted key stands.
fn place(text: &str, key: &str) -> Option<(usize, usize)> {
    let document = toml_edit::Document::parse(text).ok()?;
    let mut item = document.as_item();
    for part in key.split('.') {
        item = item.get(part)?;
    }
    let before = text.get(..item.span()?.start)?;
    let line = before.rsplit('\n').next().unwrap_or_default();
    Some((before.matches('\n').count() + 1, line.chars().count() + 1))
}

impl HallConfig {
    /// Reads hall.toml. Nothing that cannot be understood is passed over.
    ///
    /// # Errors
    /// If the text is no TOML, has an unknown key, or a value that cannot be.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError::new(error.to_string()))?;
        config.validate().map_err(|error| error.placed(text))?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.tier_controls()?;
        self.limits.validate().map_err(ConfigError::new)?;
        self.approvals.validate()?;
        self.mcp.validate()?;
        self.isolation.validate()?;
        self.quotas.validate().map_err(|message| ConfigError { message })?;
        let policy = &self.policy;
        if policy.min_tier > 8 {
            return Err(ConfigError::new("policy.min_tier is 0 to 8"));
        }
        if !(2..=8).contains(&policy.foreign_min_tier) {
            return Err(ConfigError::new("policy.foreign_min_tier is 2 to 8"));
        }
        if policy.rules.contains('/') || policy.rules.starts_with('.') || policy.rules.is_empty() {
            return Err(ConfigError::new("policy.rules is the name of a file beside hall.toml"));
        }
        if policy.version.is_empty() || policy.version.len() > 128 || policy.version.chars().any(char::is_control) {
            return Err(ConfigError::new("policy.version is 1 to 128 printable characters"));
        }
        policy.validate_gates().map_err(ConfigError::new)?;
        if self.hall.owner.is_empty() || self.hall.owner.len() > 128 || self.hall.owner.chars().any(char::is_control) {
            return Err(ConfigError::new("hall.owner is 1 to 128 printable characters"));
        }
        if let Some(namespace) = &self.hall.attest_env_namespace
            && !self.hall.namespaces.contains(namespace)
        {
            return Err(ConfigError::new(format!(
                "hall.attest_env_namespace is {namespace}, which is not among hall.namespaces"
            )));
        }
        Ok(())
    }

    /// Writes hall.toml.
    ///
    /// # Errors
    /// If a value cannot be written as TOML.
    pub fn to_text(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self).map_err(|error| ConfigError::new(error.to_string()))
    }

    /// The controls that each policy tier requires: the host's own table, else the documented default.
    ///
    /// # Errors
    /// If the table names a tier that is none.
    pub fn tier_controls(&self) -> Result<TierControls, ConfigError> {
        let Some(table) = &self.policy.tiers else { return Ok(TierControls::default()) };
        let number = |tier: &String| {
            tier.parse::<u8>().map_err(|_| ConfigError::new(format!("policy.tiers: '{}' is no tier", tier.escape_debug())))
        };
        let table =
            table.iter().map(|(tier, controls)| Ok((number(tier)?, controls.clone()))).collect::<Result<_, ConfigError>>()?;
        TierControls::new(table).map_err(|error: TierError| ConfigError::new(format!("policy.tiers: {error}")))
    }

    /// The controls that are in place: those that the runtime is by construction, and those that hall.toml names.
    #[must_use]
    pub fn controls_present(&self) -> BTreeSet<ControlId> {
        let mut controls = built_in();
        controls.extend(self.policy.controls.iter().cloned());
        controls
    }

    /// Whether the namespace is this hall's own.
    #[must_use]
    pub fn owns(&self, namespace: &Namespace) -> bool {
        self.hall.namespaces.contains(namespace)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "[hall]\nid = \"hall-1\"\norganisation = \"acme\"\nowner = \"ada\"\nenv = \"dev\"\nnamespaces = [\"org.acme\"]\n\n\
                        [policy]\nversion = \"v1\"\nrules = \"rules.json\"\n";

    #[test]
    fn every_fault_is_told_with_line_and_column() {
        assert!(HallConfig::parse(GOOD).is_ok());
        let faults = [
            ("", "min_tier = 9\n", "line 11, column 12: policy.min_tier is 0 to 8"),
            ("", "foreign_min_tier = 1\n", "line 11, column 20: policy.foreign_min_tier is 2 to 8"),
            ("", "cedar = [\"../a.cedar\"]\n", "line 11, column 9: policy.cedar: '../a.cedar'"),
            ("", "command = [\"judge\"]\n", "line 11, column 11: policy.command is"),
            ("", "gate_deadline_ms = 0\n", "line 11, column 20: policy.gate_deadline_ms is"),
            ("", "\n[policy.tiers]\n\"9\" = []\n", "line 12, column 1: policy.tiers: "),
            ("", "[approvals]\nuse_minutes = 0\n", "line 12, column 15: approvals.use_minutes is 1 to"),
            ("", "[approvals]\nurl = \"http://evil.example/{id}\"\n", "line 12, column 7: approvals.url is an address"),
            ("", "[approvals]\nurl = \"https://a@evil.example/{id}\"\n", "line 12, column 7: approvals.url is an address"),
            ("", "[approvals]\nurl = \"https://{id}.example/\"\n", "line 12, column 7: approvals.url is an address"),
            ("", "[approvals]\nurl = \"https://example.org/\"\n", "line 12, column 7: approvals.url is an address"),
            ("", "[approvals]\nurl = \"javascript:alert({id})\"\n", "line 12, column 7: approvals.url is an address"),
            ("", "[limits]\ndepth = 65\n", "line 12, column 9: limits.depth is at most 64"),
            ("", "[isolation]\nworkers = 0\n", "line 12, column 11: isolation.workers is 1 to 256"),
            ("\"ada\"", "\"\"", "line 4, column 9: hall.owner is"),
            ("\"v1\"", "\"\"", "line 9, column 11: policy.version is"),
            ("\"rules.json\"", "\"../r\"", "line 10, column 9: policy.rules is"),
            // What TOML or the table of keys refuses.
            ("", "colour = 1\n", "line 11, column 1"),
            ("", "min_tier = \"two\"\n", "line 11, column 12"),
            ("\"dev\"", "\"production\"", "line 5, column 7"),
            ("\"acme\"", "\"acme", "line 3, column"),
        ];
        for (old, new, says) in faults {
            let text = if old.is_empty() { format!("{GOOD}{new}") } else { GOOD.replacen(old, new, 1) };
            let error = HallConfig::parse(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{new}: {error}");
        }
    }
}

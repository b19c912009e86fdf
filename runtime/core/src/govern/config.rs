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
    /// Host maximums of the budgets a skill may ask for, and of compiling it.
    #[serde(default)]
    pub limits: LimitsSection,
    /// Where guests run.
    #[serde(default, skip_serializing_if = "IsolationSection::is_default")]
    pub isolation: IsolationSection,
    /// Powers granted to a skill, by `namespace/name`. Absent: none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<SkillId, capability::Policy>,
}

pub use super::isolation::IsolationSection;
pub use super::limits::LimitsSection;

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApprovalsSection {
    /// For how many minutes a call waits for an answer.
    pub pending_minutes: u32,
    /// Within how many minutes a yes must be used.
    pub use_minutes: u32,
    /// Where one's own approval of one's own call counts.
    pub own: OwnApproval,
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
        Self { pending_minutes: 24 * 60, use_minutes: 15, own: OwnApproval::TierZero }
    }
}

impl ApprovalsSection {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn validate(self) -> Result<(), ConfigError> {
        let most = 365 * 24 * 60;
        if (1..=most).contains(&self.pending_minutes) && (1..=most).contains(&self.use_minutes) {
            return Ok(());
        }
        Err(ConfigError(format!("approvals.pending_minutes and approvals.use_minutes are 1 to {most}")))
    }
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
#[error("hall.toml: {0}")]
pub struct ConfigError(String);

impl ConfigError {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl HallConfig {
    /// Reads hall.toml. Nothing that cannot be understood is passed over.
    ///
    /// # Errors
    /// If the text is no TOML, has an unknown key, or a value that cannot be.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| ConfigError(error.to_string()))?;
        config.validate()?;
        Ok(config)
    }

    fn validate(&self) -> Result<(), ConfigError> {
        self.tier_controls()?;
        self.limits.validate().map_err(ConfigError)?;
        self.approvals.validate()?;
        self.isolation.validate()?;
        let policy = &self.policy;
        if policy.min_tier > 8 || policy.foreign_min_tier > 8 {
            return Err(ConfigError("a policy tier is 0 to 8".into()));
        }
        if policy.foreign_min_tier < 2 {
            return Err(ConfigError("policy.foreign_min_tier is at least 2".into()));
        }
        if policy.rules.contains('/') || policy.rules.starts_with('.') || policy.rules.is_empty() {
            return Err(ConfigError("policy.rules is the name of a file beside hall.toml".into()));
        }
        if policy.version.is_empty() || policy.version.len() > 128 || policy.version.chars().any(char::is_control) {
            return Err(ConfigError("policy.version is 1 to 128 printable characters".into()));
        }
        policy.validate_gates().map_err(ConfigError)?;
        if self.hall.owner.is_empty() || self.hall.owner.len() > 128 || self.hall.owner.chars().any(char::is_control) {
            return Err(ConfigError("hall.owner is 1 to 128 printable characters".into()));
        }
        if let Some(namespace) = &self.hall.attest_env_namespace
            && !self.hall.namespaces.contains(namespace)
        {
            return Err(ConfigError(format!("hall.attest_env_namespace is {namespace}, which is not among hall.namespaces")));
        }
        Ok(())
    }

    /// Writes hall.toml.
    ///
    /// # Errors
    /// If a value cannot be written as TOML.
    pub fn to_text(&self) -> Result<String, ConfigError> {
        toml::to_string_pretty(self).map_err(|error| ConfigError(error.to_string()))
    }

    /// The controls that each policy tier requires: the host's own table, else the documented default.
    ///
    /// # Errors
    /// If the table names a tier that is none.
    pub fn tier_controls(&self) -> Result<TierControls, ConfigError> {
        let Some(table) = &self.policy.tiers else { return Ok(TierControls::default()) };
        let number =
            |tier: &String| tier.parse::<u8>().map_err(|_| ConfigError(format!("'{tier}' under policy.tiers is no tier")));
        let table =
            table.iter().map(|(tier, controls)| Ok((number(tier)?, controls.clone()))).collect::<Result<_, ConfigError>>()?;
        TierControls::new(table).map_err(|error: TierError| ConfigError(error.to_string()))
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

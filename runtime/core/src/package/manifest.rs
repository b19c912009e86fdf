//! skill.json: everything of a skill that matters when it runs, in one canonical form.
//!
//! The SHA-256 of these bytes (RFC 8785) is the *manifest hash*, the identity of a skill's version.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::capability::Asks;
use crate::digest::Digest;
use crate::id::{CapabilityId, Namespace, SkillId, SkillName, SkillRef, ToolName};

/// The one schema version of skill.json that this crate reads and writes.
pub const SCHEMA_VERSION: &str = "skillhall.skill.v1";

/// The content of skill.json.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Always [`SCHEMA_VERSION`].
    pub schema_version: String,
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
    /// Whether gate 3 asks for an attestation. `false` counts only in the owner's own local hall.
    pub attestation_required: bool,
    /// Events the author wants recorded beyond what a host always records.
    pub audit_events: Vec<String>,
    /// WCP capability ids that a caller may ask for instead of the skill by name.
    pub provides: Vec<CapabilityId>,
    /// The powers it asks for.
    pub capabilities: Asks,
    /// The budgets it asks for; what is absent takes the host's default.
    pub limits: LimitsAsk,
    /// The WebAssembly component.
    pub component: ComponentInfo,
    /// Its tools by name.
    pub tools: BTreeMap<ToolName, Tool>,
    /// SHA-256 of every file under `adapters/`, by path in the package.
    pub adapters: BTreeMap<String, Digest>,
    /// SHA-256 of every file under `docs/`, by path in the package.
    pub docs: BTreeMap<String, Digest>,
    /// SHA-256 of every file under `assets/`, by path in the package.
    pub assets: BTreeMap<String, Digest>,
}

impl Manifest {
    /// The skill, whatever its version.
    #[must_use]
    pub fn id(&self) -> SkillId {
        SkillId { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// The skill in this version.
    #[must_use]
    pub fn reference(&self) -> SkillRef {
        self.id().at(self.version.clone())
    }
}

/// What skill.json says of the component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComponentInfo {
    /// SHA-256 of component.wasm.
    pub sha256: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// The interfaces it imports, with versions, sorted: `wasi:cli/exit@0.2.6`. Those that bring names of types only are left out:
    /// they need nothing linked and reach nothing.
    pub imports: Vec<String>,
    /// What it exports, sorted.
    pub exports: Vec<String>,
    /// Its world as WIT text.
    pub wit: String,
}

/// Budgets a skill asks for. Bytes, milliseconds and units of fuel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitsAsk {
    /// Bytes of all memories and tables together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Milliseconds of wall clock for the whole call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_ms: Option<u64>,
    /// Units of fuel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fuel: Option<u64>,
    /// Bytes of result, error text, logs, stdout and stderr together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_bytes: Option<u64>,
}

/// One exported function that is a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// `namespace:package/interface@version#function` (version only if the component exports it with one), or a bare function name.
    pub export: String,
    /// For people and agents.
    pub description: String,
    /// What it does to the world.
    pub effects: Vec<Effect>,
    /// JSON Schema (draft 2020-12) of its input: an object with one member for each parameter.
    pub input: Value,
    /// JSON Schema of its result.
    pub output: Value,
}

/// What a tool does to the world; feeds WCP's blast radius and the annotations of adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// It reads something beyond its input.
    Read,
    /// It changes something.
    Write,
    /// It talks to the outside.
    External,
}

//! What a run leaves: made from a run and its closed record, and from nothing else.

use serde::Serialize;
use serde_json::{Map, Value};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::Stage;
use skillhall_core::digest::Digest;
use skillhall_core::failure::Failure;
use skillhall_core::id::{SkillRef, ToolName};
use skillhall_core::json;
use skillhall_core::ledger::Ledger;
use skillhall_core::ledger::record::RunEnd;
use skillhall_core::trust::AttestationFacts;

use crate::engine::Resources;
use crate::engine::execute::Executed;

use super::Fault;

/// How long a gate took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct GateTime {
    /// Which gate.
    pub gate: Stage,
    /// In microseconds.
    pub microseconds: u64,
}

/// The receipt of one admitted call. Only `close` makes one, and only of a run.
#[derive(Debug, Serialize)]
pub struct Receipt {
    decision: &'static str,
    decision_id: String,
    correlation_id: String,
    skill: SkillRef,
    tool: ToolName,
    manifest_hash: Digest,
    matched_rule: String,
    policy_version: String,
    tier: u8,
    local_hall: bool,
    attestation: AttestationFacts,
    certification: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<Failure>,
    resources: Resources,
    #[serde(skip_serializing_if = "String::is_empty")]
    stdout: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    stderr: String,
    gates: Vec<GateTime>,
    record: u64,
    closed: u64,
    ended_at: Timestamp,
}

/// Closes the record of a run and makes its receipt.
///
/// # Errors
/// [`Fault::Unclosed`] if the end could not be recorded; the result is then withheld.
pub(super) fn close(
    executed: Executed,
    ledger: &Ledger,
    gates: Vec<GateTime>,
    at: Timestamp,
    local_hall: bool,
) -> Result<Receipt, Fault> {
    let parts = executed.into_parts();
    let resources = parts.outcome.resources;
    let (output, failure) = match parts.outcome.end {
        Ok(output) => (Some(output), None),
        Err(failure) => (None, Some(failure)),
    };
    let end = RunEnd {
        output: output.as_ref().map(digest),
        failure: failure.as_ref().map(|failure| failure.code),
        resources: used(&resources),
        duration_us: resources.wall_us.used,
        rejected_code: parts.rejected_code,
        at,
    };
    let (record, facts) = (parts.open.sequence(), parts.open.facts().clone());
    let (attestation, certification) = (parts.open.attestation().clone(), parts.open.certification().to_owned());
    let closed = parts.open.close(ledger, &end).map_err(|error| Fault::Unclosed { at, error })?;
    Ok(Receipt {
        decision: "ALLOW",
        decision_id: facts.decision_id,
        correlation_id: parts.call.correlation_id,
        skill: parts.call.skill,
        tool: parts.tool,
        manifest_hash: parts.manifest_hash,
        matched_rule: facts.matched_rule,
        policy_version: facts.policy_version,
        tier: facts.tier,
        local_hall,
        attestation,
        certification,
        output,
        failure,
        resources,
        stdout: parts.outcome.stdout,
        stderr: parts.outcome.stderr,
        gates,
        record,
        closed,
        ended_at: at,
    })
}

/// The digest of the result: of its canonical form, or, for one that has none, of its compact text.
fn digest(output: &Value) -> Digest {
    Digest::of(&json::canonical(output).unwrap_or_else(|_| output.to_string().into_bytes()))
}

fn used(resources: &Resources) -> Map<String, Value> {
    match serde_json::to_value(resources) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

impl Receipt {
    /// The result, if the run was done.
    #[must_use]
    pub fn output(&self) -> Option<&Value> {
        self.output.as_ref()
    }

    /// How the run failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What the run used, each as used and allowed.
    #[must_use]
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The skill that ran.
    #[must_use]
    pub fn skill(&self) -> &SkillRef {
        &self.skill
    }

    /// Its manifest hash.
    #[must_use]
    pub fn manifest_hash(&self) -> Digest {
        self.manifest_hash
    }

    /// The decision's id.
    #[must_use]
    pub fn decision_id(&self) -> &str {
        &self.decision_id
    }

    /// The ledger's sequence of the decision and of the end.
    #[must_use]
    pub fn records(&self) -> (u64, u64) {
        (self.record, self.closed)
    }

    /// What the guest wrote to stdout and stderr, bounded and with control characters escaped.
    #[must_use]
    pub fn streams(&self) -> (&str, &str) {
        (&self.stdout, &self.stderr)
    }

    /// How the package was attested: which forms held, and which could not be judged.
    #[must_use]
    pub fn attestation(&self) -> &AttestationFacts {
        &self.attestation
    }

    /// How long each gate took, in their order.
    #[must_use]
    pub fn gates(&self) -> &[GateTime] {
        &self.gates
    }
}

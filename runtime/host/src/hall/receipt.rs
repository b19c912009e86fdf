//! What a call leaves: of an admitted one made from its run and its closed record, and from nothing else; of a denied one,
//! made from its denial.

use std::collections::BTreeMap;

use serde::ser::{Serialize, Serializer};
use serde_json::{Value, json};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Denial, Stage};
use skillhall_core::digest::Digest;
use skillhall_core::failure::Failure;
use skillhall_core::govern::call::Call;
use skillhall_core::govern::isolation::Mode;
use skillhall_core::id::{KeyId, SkillRef, ToolName};
use skillhall_core::json;
use skillhall_core::ledger::record::RunEnd;
use skillhall_core::trust::AttestationFacts;

use crate::engine::Resources;
use crate::engine::execute::Executed;
use crate::sandbox::log::Line;
use crate::sandbox::tools::Called;
use crate::sandbox::{Reached, Refusal, Requested};

use super::Fault;

/// How long a gate took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct GateTime {
    /// Which gate.
    pub gate: Stage,
    /// In microseconds.
    pub microseconds: u64,
}

/// What the gates said of a call.
#[expect(clippy::large_enum_variant, reason = "there is one in each receipt, and most are of the larger kind")]
#[derive(Clone, Debug)]
pub enum Decision {
    /// It was let through, and ran.
    Allow(Admitted),
    /// It was refused, and did not run.
    Deny(Denial),
}

/// On what an admission rests.
#[derive(Clone, Debug, serde::Serialize)]
#[non_exhaustive]
pub struct Admitted {
    /// SHA-256 of the manifest of what ran.
    pub manifest_hash: Digest,
    /// The rule that matched.
    pub matched_rule: String,
    /// The policy's version.
    pub policy_version: String,
    /// The policy tier in force.
    pub tier: u8,
    /// By what right it was called: `owner` (with every role), `token:ID`, or `program` (by the word of the program that embeds the
    /// hall).
    #[serde(rename = "as")]
    pub by_right: String,
    /// Whether this is a developer's own hall, where the owner may waive the attestation of their own skills.
    pub local_hall: bool,
    /// How the package was attested: which forms held, and which could not be judged.
    pub attestation: AttestationFacts,
    /// The id of the certification.
    pub certification: String,
    /// The person's approval that was used up for the run, if it needed one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovedBy>,
    /// What was granted beyond the base, each as a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<String>,
    /// How the guest was isolated; absent if it ran in the host's own process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolated>,
}

/// A guest ran in a worker process, behind these locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Isolated {
    /// Always `process`.
    pub mode: Mode,
    /// The version of Landlock's interface that was enforced; 0 where the kernel has none. Seccomp always was.
    pub landlock: u8,
}

/// The approval on which a run rests.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ApprovedBy {
    /// Its id.
    pub id: String,
    /// The person who said yes.
    pub by: String,
    /// The key that signed it.
    pub key: KeyId,
    /// Whether that is the very person who called: self-approved.
    pub own: bool,
}

/// The receipt of one call. Only the hall makes one: of an admitted call only when its run has ended and the end is on the
/// disk.
///
/// As JSON it is one object: `decision` is `"ALLOW"` or `"DENY"`; `output` or `failure` stands in an admitted one, `denial`
/// in a denied one; what does not apply is absent.
#[derive(Debug)]
#[must_use = "a receipt says whether the call was denied"]
pub struct Receipt {
    decision: Decision,
    outcome: Result<Value, Unfinished>,
    resources: Resources,
    stdout: String,
    stderr: String,
    log: Vec<Line>,
    decision_id: String,
    correlation_id: String,
    skill: SkillRef,
    http: Vec<Requested>,
    sockets: Vec<Reached>,
    calls: Vec<Called>,
    refusals: Vec<Refusal>,
    tool: Option<ToolName>,
    gates: Vec<GateTime>,
    record: Option<u64>,
    closed: Option<u64>,
    ended_at: Option<Timestamp>,
}

/// Why there is no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// The call was denied.
    #[error(transparent)]
    Denied(Denial),
    /// It ran, and ended badly.
    #[error(transparent)]
    Failed(Failure),
}

/// Closes the record of a run and makes its receipt.
///
/// # Errors
/// [`Fault::Unclosed`] if the end could not be recorded; the result is then withheld.
pub(super) fn close(executed: Executed, gates: Vec<GateTime>, at: Timestamp, local_hall: bool) -> Result<Receipt, Fault> {
    let parts = executed.into_parts();
    let (resources, outcome) = (parts.outcome.resources, parts.outcome.end);
    let end = RunEnd {
        output: outcome.as_ref().ok().map(digest),
        failure: outcome.as_ref().err().map(|failure| failure.code),
        resources: resources.to_map(),
        duration_us: resources.wall_us.used,
        rejected_code: parts.rejected_code,
        http: parts.outcome.http.iter().map(|requested| json!(requested)).collect(),
        sockets: parts.outcome.sockets.iter().map(|reached| json!(reached)).collect(),
        calls: parts.outcome.calls.iter().map(|called| json!(called)).collect(),
        at,
    };
    let (record, facts) = (parts.open.sequence(), parts.open.facts().clone());
    let (attestation, certification) = (parts.open.attestation().clone(), parts.open.certification().to_owned());
    let by_right = parts.open.acts_as().to_owned();
    let approval = parts.open.approval().map(|granted| ApprovedBy {
        id: granted.id.clone(),
        by: granted.by.clone(),
        key: granted.key.clone(),
        own: granted.own,
    });
    let closed = parts.open.close(&end).map_err(|error| Fault::Unclosed { at, error })?;
    let admitted = Admitted {
        manifest_hash: parts.manifest_hash,
        matched_rule: facts.matched_rule,
        policy_version: facts.policy_version,
        tier: facts.tier,
        by_right,
        local_hall,
        attestation,
        certification,
        approval,
        grants: parts.grants,
        isolation: parts.isolated.map(|locks| Isolated { mode: Mode::Process, landlock: locks.landlock }),
    };
    Ok(Receipt {
        decision: Decision::Allow(admitted),
        outcome: outcome.map_err(Unfinished::Failed),
        resources,
        stdout: parts.outcome.stdout,
        stderr: parts.outcome.stderr,
        log: parts.outcome.log,
        http: parts.outcome.http,
        sockets: parts.outcome.sockets,
        calls: parts.outcome.calls,
        refusals: parts.outcome.refusals,
        decision_id: facts.decision_id,
        correlation_id: parts.call.correlation_id,
        skill: parts.call.skill,
        tool: Some(parts.tool),
        gates,
        record: Some(record),
        closed: Some(closed),
        ended_at: Some(at),
    })
}

/// A denial as it was recorded, if it could be.
pub(super) struct Refused {
    pub(super) denial: Denial,
    pub(super) record: Option<u64>,
    pub(super) at: Option<Timestamp>,
}

/// The receipt of a call that was denied.
pub(super) fn denied(refused: Refused, decision_id: String, call: Call, gates: Vec<GateTime>) -> Receipt {
    Receipt {
        decision: Decision::Deny(refused.denial.clone()),
        outcome: Err(Unfinished::Denied(refused.denial)),
        resources: Resources::default(),
        stdout: String::new(),
        stderr: String::new(),
        log: Vec::new(),
        http: Vec::new(),
        sockets: Vec::new(),
        calls: Vec::new(),
        refusals: Vec::new(),
        decision_id,
        correlation_id: call.correlation_id,
        skill: call.skill,
        tool: call.tool,
        gates,
        record: refused.record,
        closed: None,
        ended_at: refused.at,
    }
}

/// The digest of the result: of its canonical form, or, for one that has none, of its compact text.
fn digest(output: &Value) -> Digest {
    Digest::of(&json::canonical(output).unwrap_or_else(|_| json::sorted(output.clone()).to_string().into_bytes()))
}

impl Receipt {
    /// What the gates said.
    #[must_use]
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// The result or the failure of the run; `None` if the call was denied.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<&Value, &Failure>> {
        match &self.outcome {
            Ok(output) => Some(Ok(output)),
            Err(Unfinished::Failed(failure)) => Some(Err(failure)),
            Err(Unfinished::Denied(_)) => None,
        }
    }

    /// The result alone.
    ///
    /// # Errors
    /// [`Unfinished::Denied`] if the call was denied, [`Unfinished::Failed`] if it ended badly.
    pub fn into_output(self) -> Result<Value, Unfinished> {
        self.outcome
    }

    /// Why the call was denied, if it was.
    #[must_use]
    pub fn denial(&self) -> Option<&Denial> {
        match &self.decision {
            Decision::Deny(denial) => Some(denial),
            Decision::Allow(_) => None,
        }
    }

    /// On what the admission rests, if the call was admitted.
    #[must_use]
    pub fn admitted(&self) -> Option<&Admitted> {
        match &self.decision {
            Decision::Allow(admitted) => Some(admitted),
            Decision::Deny(_) => None,
        }
    }

    /// The result, if the run was done.
    #[must_use]
    pub fn output(&self) -> Option<&Value> {
        self.outcome()?.ok()
    }

    /// How the run failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.outcome()?.err()
    }

    /// What the run used, each as used and allowed; all zero if the call was denied.
    #[must_use]
    pub fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The skill that was called.
    #[must_use]
    pub fn skill(&self) -> &SkillRef {
        &self.skill
    }

    /// The tool that ran; of a denied call, the one that it named.
    #[must_use]
    pub fn tool(&self) -> Option<&ToolName> {
        self.tool.as_ref()
    }

    /// The decision's id.
    #[must_use]
    pub fn decision_id(&self) -> &str {
        &self.decision_id
    }

    /// What ties the call to others in the records.
    #[must_use]
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// The ledger's sequence of the decision; `None` for a denial that could not be recorded.
    #[must_use]
    pub fn record(&self) -> Option<u64> {
        self.record
    }

    /// The ledger's sequence of the end; `None` if the call was denied.
    #[must_use]
    pub fn closed(&self) -> Option<u64> {
        self.closed
    }

    /// When the run ended, or the call was denied; `None` if it was denied because the time is not known.
    #[must_use]
    pub fn ended_at(&self) -> Option<Timestamp> {
        self.ended_at
    }

    /// What the guest wrote to stdout and stderr, bounded and with control characters escaped.
    #[must_use]
    pub fn streams(&self) -> (&str, &str) {
        (&self.stdout, &self.stderr)
    }

    /// What the guest logged, bounded and with control characters escaped.
    #[must_use]
    pub fn log(&self) -> &[Line] {
        &self.log
    }

    /// To which origins the guest wanted to send requests.
    #[must_use]
    pub fn http(&self) -> &[Requested] {
        &self.http
    }

    /// Which addresses the guest wanted sockets to reach: the first 16 of them.
    #[must_use]
    pub fn sockets(&self) -> &[Reached] {
        &self.sockets
    }

    /// Which skills the guest called, or wanted to, in their order: the version, the decision about it, and what came of it.
    #[must_use]
    pub fn calls(&self) -> &[Called] {
        &self.calls
    }

    /// What the guest wanted outside and was refused, with reasons and hints: the first 16 of it.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        &self.refusals
    }

    /// How long each gate took that was passed, in their order.
    #[must_use]
    pub fn gates(&self) -> &[GateTime] {
        &self.gates
    }
}

/// A receipt as it is written.
#[derive(serde::Serialize)]
struct Written<'a> {
    decision: &'static str,
    decision_id: &'a str,
    correlation_id: &'a str,
    skill: &'a SkillRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<&'a ToolName>,
    #[serde(flatten)]
    admitted: Option<&'a Admitted>,
    #[serde(skip_serializing_if = "Option::is_none")]
    denial: Option<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<&'a Resources>,
    #[serde(skip_serializing_if = "str::is_empty")]
    stdout: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    stderr: &'a str,
    #[serde(skip_serializing_if = "<[Line]>::is_empty")]
    log: &'a [Line],
    #[serde(skip_serializing_if = "<[Requested]>::is_empty")]
    http: &'a [Requested],
    #[serde(skip_serializing_if = "<[Reached]>::is_empty")]
    sockets: &'a [Reached],
    #[serde(skip_serializing_if = "<[Called]>::is_empty")]
    calls: &'a [Called],
    #[serde(skip_serializing_if = "<[Refusal]>::is_empty")]
    refusals: &'a [Refusal],
    gates: &'a [GateTime],
    #[serde(skip_serializing_if = "Option::is_none")]
    record: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

/// A denial with what the table says of its code.
#[derive(serde::Serialize)]
struct Told<'a> {
    code: &'static str,
    stage: Stage,
    message: &'a str,
    hint: &'a str,
    details: &'a BTreeMap<String, Value>,
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let admitted = self.admitted();
        let denial = self.denial().map(|denial| Told {
            code: denial.code.as_str(),
            stage: denial.stage(),
            message: &denial.message,
            hint: denial.hint(),
            details: &denial.details,
        });
        let written = Written {
            decision: if denial.is_none() { "ALLOW" } else { "DENY" },
            decision_id: &self.decision_id,
            correlation_id: &self.correlation_id,
            skill: &self.skill,
            tool: self.tool.as_ref(),
            admitted,
            denial,
            output: self.output(),
            failure: self.failure(),
            resources: admitted.map(|_| &self.resources),
            stdout: &self.stdout,
            stderr: &self.stderr,
            log: &self.log,
            http: &self.http,
            sockets: &self.sockets,
            calls: &self.calls,
            refusals: &self.refusals,
            gates: &self.gates,
            record: self.record,
            closed: self.closed,
            ended_at: self.ended_at,
        };
        written.serialize(serializer)
    }
}

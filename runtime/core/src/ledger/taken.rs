//! A decision as its record tells it: what it was taken from, so that it can be taken again, or why it cannot be.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::event::{Decision, Event, EventKind, Record};
use super::record::{ALTERED, BASIS};
use crate::clock::Timestamp;
use crate::denial::{Code, Stage};
use crate::digest::Digest;
use crate::govern::basis::Basis;
use crate::govern::call::{Authority, Caller, DataLabel, QosClass, TenantRisk};
use crate::govern::hearing::Matter;
use crate::id::{CapabilityId, HostId, KeyId, SkillRef, ToolName};

/// A recorded decision that can be taken again.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// Which skill in which version.
    pub skill: SkillRef,
    /// Which of its tools; `None` if gate 5 refused a call that named none of them.
    pub tool: Option<ToolName>,
    /// Who called.
    pub caller: Caller,
    /// On which host.
    pub host: HostId,
    /// When.
    pub at: Timestamp,
    /// Why it was refused; `None` if it was not.
    pub code: Option<Code>,
    /// Whether an approval counted for it.
    pub approved: bool,
    /// Whether it named an approval that did not count.
    pub approval_failed: bool,
    /// SHA-256 of the manifest.
    pub manifest: Digest,
    /// WCP's package hash.
    pub package: Digest,
    /// The keys that attested and certified the package.
    pub keys: Vec<KeyId>,
    /// What it was taken from.
    pub basis: Basis,
    correlation_id: String,
    data_label: DataLabel,
    tenant_risk: TenantRisk,
    qos_class: QosClass,
    capability: Option<CapabilityId>,
}

/// Why a recorded decision cannot be taken again. Nothing is guessed in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Untaken {
    /// The record says too little: an older version of this program wrote it.
    Older,
    /// The record says something that this version does not understand.
    Unreadable,
    /// A text stands in the record otherwise than it was said.
    Altered,
    /// It was refused by a gate that is not judged again.
    OtherGate,
    /// It was refused for what the worker's bytes or their hashes were.
    WorkerHash,
    /// Who called or which tool was called does not stand in the record.
    Incomplete,
    /// The registry has other bytes under the version than the record names.
    OtherBytes,
    /// It needs the answer of a policy gate outside of this program, which was not to be asked.
    OutsideGate,
    /// It needs the answer of a policy gate of another program.
    EmbeddedGate,
}

impl Untaken {
    /// In words, after "because".
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Older => "an older version recorded them, without what they were decided from",
            Self::Unreadable => "they say something that this version does not understand",
            Self::Altered => "an id stands in the record otherwise than it was said",
            Self::OtherGate => "a gate refused them that is not judged again (1 to 4, 6 to 8, 11)",
            Self::WorkerHash => "they were refused for the hash of the worker",
            Self::Incomplete => "they name no caller or no tool",
            Self::OtherBytes => "the registry has other bytes under the version",
            Self::OutsideGate => "they need the answer of a program or an endpoint, which was not asked",
            Self::EmbeddedGate => "they need the answer of the policy gate of another program",
        }
    }
}

impl fmt::Display for Untaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.why())
    }
}

/// The gates that are judged again.
const JUDGED: [Stage; 3] = [Stage::Standing, Stage::Capability, Stage::Policy];
/// What is refused in gate 10 for bytes that nobody has any more.
const OF_WORKERS: [Code; 5] = [
    Code::AttestationUnconfigured,
    Code::WorkerAttestationMissing,
    Code::WorkerAttestationInvalidHash,
    Code::WorkerHashUnavailable,
    Code::WorkerTampered,
];
/// What an approval that does not count is refused with.
const OF_APPROVALS: [Code; 8] = [
    Code::ApprovalUnknown,
    Code::ApprovalRejected,
    Code::ApprovalExpired,
    Code::ApprovalUsed,
    Code::ApprovalMismatch,
    Code::ApprovalInvalid,
    Code::ApprovalSelf,
    Code::RequiresHumanApproval,
];

impl Taken {
    /// Reads the record of a decision about an execution; `None` for every other record.
    #[must_use]
    pub fn of(record: &Record) -> Option<Result<Self, Untaken>> {
        let event = &record.event;
        let decision = event.decision.filter(|_| event.kind == EventKind::SkillExecute)?;
        Some(Self::read(event, decision))
    }

    fn read(event: &Event, decision: Decision) -> Result<Self, Untaken> {
        let code = event.code.filter(|_| decision == Decision::Deny);
        if decision == Decision::Deny && code.is_none() {
            return Err(Untaken::Unreadable);
        }
        let basis = match (event.data.get(BASIS), event.data.contains_key("data_label")) {
            (Some(basis), _) => basis,
            // It came to no gate that is judged again.
            (None, true) => return Err(Untaken::OtherGate),
            (None, false) => return Err(Untaken::Older),
        };
        if code.is_some_and(|code| !JUDGED.contains(&code.stage())) {
            return Err(Untaken::OtherGate);
        }
        if code.is_some_and(|code| OF_WORKERS.contains(&code)) {
            return Err(Untaken::WorkerHash);
        }
        if event.data.contains_key(ALTERED) {
            return Err(Untaken::Altered);
        }
        let (Some(id), Some(version), Some(host)) = (&event.skill, &event.version, &event.host) else {
            return Err(Untaken::Incomplete);
        };
        let (Some(organisation), Some(name), Some(adapter)) = (&event.organisation, &event.caller, &event.adapter) else {
            return Err(Untaken::Incomplete);
        };
        // By what right they called is gate 6's to ask, which is not asked again.
        let authority = Authority::Program;
        let hash = |name| event.hashes.get(name).copied().ok_or(Untaken::Incomplete);
        let capability = event.data.get("capability").map(read).transpose()?;
        let named = event.data.contains_key("approval_named");
        Ok(Self {
            skill: id.clone().at(version.clone()),
            tool: event.tool.clone(),
            caller: Caller { organisation: organisation.clone(), name: name.clone(), adapter: adapter.clone(), authority },
            host: host.clone(),
            at: event.time,
            code,
            approved: code.is_none() && event.data.contains_key("approval"),
            approval_failed: named && code.is_some_and(|code| OF_APPROVALS.contains(&code)),
            manifest: hash("manifest")?,
            package: hash("package")?,
            keys: read(event.data.get("attested_by").ok_or(Untaken::Incomplete)?)?,
            basis: read(basis)?,
            correlation_id: event.correlation_id.clone().unwrap_or_default(),
            data_label: word(event, "data_label")?,
            tenant_risk: word(event, "tenant_risk")?,
            qos_class: word(event, "qos_class")?,
            capability,
        })
    }

    /// What the call is, as gates 9 and 10 ask; `None` if it has no tool.
    #[must_use]
    pub fn matter(&self) -> Option<Matter<'_>> {
        Some(Matter {
            skill: &self.skill,
            tool: self.tool.as_ref()?,
            caller: &self.caller,
            correlation_id: &self.correlation_id,
            data_label: self.data_label,
            tenant_risk: self.tenant_risk,
            qos_class: self.qos_class,
            capability: self.capability.as_ref(),
            basis: &self.basis,
            // Gate 2 has held them against one another.
            registered: self.package,
            current: self.package,
        })
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Untaken> {
    serde_json::from_value(value.clone()).map_err(|_| Untaken::Unreadable)
}

fn word<T: DeserializeOwned>(event: &Event, name: &str) -> Result<T, Untaken> {
    event.data.get(name).ok_or(Untaken::Incomplete).and_then(read)
}

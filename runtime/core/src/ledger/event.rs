//! What the ledger records: one canonical JSON line for each event.

use std::collections::BTreeMap;

use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::failure::FailureCode;
use crate::id::{AdapterId, HostId, OrgId, SkillId, ToolName};
use crate::json::{canonical, parse};
use crate::registry::Change;

/// The longest record line, in bytes without the newline.
pub const MAX_RECORD: usize = 1 << 20;
/// The longest id or name in a record, in characters.
pub const MAX_ID: usize = 256;

macro_rules! kinds {
    ($($variant:ident = $text:literal, $summary:literal;)*) => {
        /// What happened: the closed list.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum EventKind {
            $(#[doc = $summary] #[serde(rename = $text)] $variant,)*
        }

        impl EventKind {
            /// Every kind, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The kind as it stands in records.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// One line: what happened.
            #[must_use]
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }
        }
    };
}

kinds! {
    SkillInit = "skill.init", "A skill's source was laid out: manifest created, author identity.";
    SkillBuild = "skill.build", "A package was built, or failed to build, with its hashes or the reason.";
    SkillAttest = "skill.attest", "Someone vouched for a package's bytes.";
    SkillCertify = "skill.certify", "A certifier certified a package, or refused to, with the checks' results.";
    SkillPublish = "skill.publish", "A version entered the registry with its hashes and status active.";
    SkillInstall = "skill.install", "A package was installed on this host.";
    SkillUninstall = "skill.uninstall", "A package was removed from this host.";
    SkillVerify = "skill.verify", "A package or a call was taken through the gates without being run, and passed.";
    SkillExecute = "skill.execute", "The decision about an execution, before anything runs.";
    SkillDeny = "skill.deny", "Something was refused: the reason, who and when.";
    SkillComplete = "skill.complete", "The end of an execution that was allowed, with the resources it used.";
    StandingRevoke = "standing.revoke", "An owner took something back.";
    StandingBan = "standing.ban", "Something was forbidden.";
    StandingDegrade = "standing.degrade", "An adapter was marked as degraded for a skill.";
    StandingRestore = "standing.restore", "Something stands well again.";
    ApprovalPending = "approval.pending", "A run waits for a person.";
    ApprovalApproved = "approval.approved", "A person approved a run.";
    ApprovalRejected = "approval.rejected", "A person rejected a run.";
    ApprovalExpired = "approval.expired", "An approval's time ran out.";
    ApprovalUsed = "approval.used", "An approval was used up by a run.";
    KeyAdd = "key.add", "A key entered the keyring.";
    KeyRetire = "key.retire", "A key's time was ended.";
    KeyRevoke = "key.revoke", "A key was revoked by its owner.";
    RoleGrant = "role.grant", "Someone was given a role.";
    RoleRemove = "role.remove", "A role was taken from someone.";
    TokenIssue = "role.token-issue", "A token was issued.";
    TokenRevoke = "role.token-revoke", "A token was revoked.";
    OrgRegister = "org.register", "An organisation was registered or changed.";
    OrgSuspend = "org.suspend", "An organisation was suspended.";
    OrgReinstate = "org.reinstate", "An organisation's suspension was lifted.";
    OrgOffboard = "org.offboard", "An organisation is gone for good, and its tokens and roles with it.";
    NamespaceRegister = "org.namespace", "A namespace was registered or changed.";
    WorkerRegister = "worker.register", "A worker's attested hash was registered.";
    WorkerEnroll = "worker.enroll", "A host was enrolled or enrolled anew.";
    WorkerRevoke = "worker.revoke", "A host's enrolment was revoked.";
    PolicyGrant = "policy.grant", "What a skill is granted was changed, and the host was enrolled with it.";
    StoreClear = "store.clear", "What a skill kept in a store on this host was deleted by its owner.";
    RegistryOpen = "registry.open", "The first change of the registry follows; so no change has the sequence 0.";
    RegistryVoid = "registry.void", "A recorded change was refused by the registry and never counts.";
    LedgerRecover = "ledger.recover", "The torn end of an append that never became durable was cut off.";
}

impl std::fmt::Display for EventKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was decided about an execution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Decision {
    /// It may run.
    Allow,
    /// It may not.
    Deny,
}

/// How what was allowed ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// With a result.
    Done,
    /// Badly; the failure's code says how.
    Failed,
    /// By a kill switch.
    Killed,
    /// By the caller.
    Cancelled,
}

/// One event, before it has a place in the ledger. Members that do not apply are absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// What happened.
    #[serde(rename = "event")]
    pub kind: EventKind,
    /// When.
    pub time: Timestamp,
    /// The decision it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_id: Option<String>,
    /// What the caller ties its calls together with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The caller's organisation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<OrgId>,
    /// Who called or acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<String>,
    /// Which skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skill: Option<SkillId>,
    /// In which version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Version>,
    /// Through which adapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapter: Option<AdapterId>,
    /// Which tool of the skill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<ToolName>,
    /// Digests by what they are of: `manifest`, `component`, `package`, `input`, `output`, and so on.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub hashes: BTreeMap<String, Digest>,
    /// ALLOW or DENY, on `skill.execute`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// The rule that matched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matched_rule: Option<String>,
    /// The version of the policy that decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_version: Option<String>,
    /// The deny code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// The worker (WCP's id of the skill).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// The host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// How it ended, on `skill.complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// How it failed, on `skill.complete`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<FailureCode>,
    /// How long it took, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_us: Option<u64>,
    /// Resources used, each in its own unit.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub resources: Map<String, Value>,
    /// What else this kind of event says.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// The change of the registry that this record announces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

impl Event {
    /// An event of this kind at this time, and nothing else.
    #[must_use]
    pub fn new(kind: EventKind, time: Timestamp) -> Self {
        Self {
            kind,
            time,
            decision_id: None,
            correlation_id: None,
            organisation: None,
            caller: None,
            skill: None,
            version: None,
            adapter: None,
            tool: None,
            hashes: BTreeMap::new(),
            decision: None,
            matched_rule: None,
            policy_version: None,
            code: None,
            worker: None,
            host: None,
            end: None,
            failure: None,
            duration_us: None,
            resources: Map::new(),
            data: Map::new(),
            change: None,
        }
    }

    /// Adds a fact to `data`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// The `skill.deny` that goes with this event, in the same append: code, stage and message of the denial, and the
    /// same skill, caller and host.
    #[must_use]
    pub fn denied(&self, denial: &Denial) -> Self {
        let mut event = Self { kind: EventKind::SkillDeny, decision: None, change: None, data: Map::new(), ..self.clone() };
        event.code = Some(denial.code);
        event.data.extend(self.data.get("as").map(|by_right| ("as".to_owned(), by_right.clone())));
        event.with("stage", denial.stage().as_str()).with("message", denial.message.as_str())
    }

    /// The event with ids and names freed of control characters and of those that turn text, and cut to [`MAX_ID`]; all
    /// other text is freed of those control characters that JSON does not escape (DEL and C1). The change is left as it
    /// is: its digest counts.
    pub(super) fn cleaned(mut self) -> Self {
        let ids = [
            &mut self.decision_id,
            &mut self.correlation_id,
            &mut self.caller,
            &mut self.matched_rule,
            &mut self.policy_version,
            &mut self.worker,
        ];
        for id in ids.into_iter().flatten() {
            *id = id_text(id);
        }
        self.hashes = self.hashes.into_iter().map(|(name, digest)| (escapable(&name), digest)).collect();
        for map in [&mut self.resources, &mut self.data] {
            *map = std::mem::take(map).into_iter().map(|(key, value)| (escapable(&key), clean(value))).collect();
        }
        self
    }
}

/// An id or a name as records hold it: without control characters and those that turn text, cut to [`MAX_ID`].
#[must_use]
pub fn id_text(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() && !turns_text(*c)).take(MAX_ID).collect()
}

fn escapable(text: &str) -> String {
    text.chars().filter(|c| !is_raw_control(*c)).collect()
}

fn is_raw_control(c: char) -> bool {
    c.is_control() && c >= '\u{7f}'
}

/// Whether a character changes the direction or the lines of the text around it when it is shown.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn clean(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(escapable(&text)),
        Value::Array(items) => items.into_iter().map(clean).collect(),
        Value::Object(members) => members.into_iter().map(|(key, value)| (escapable(&key), clean(value))).collect(),
        other => other,
    }
}

/// An event in its place in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place, from 0.
    pub sequence: u64,
    /// What happened.
    pub event: Event,
}

/// An event that cannot be a record, or a line that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The line would be longer than [`MAX_RECORD`].
    #[error("a record of {0} bytes; at most {MAX_RECORD} are taken")]
    TooLong(usize),
    /// A control character that JSON does not escape, in the change that the record announces.
    #[error("the change holds a control character (DEL or C1)")]
    Control,
    /// The event has no canonical JSON form.
    #[error("no record: {0}")]
    Unwritable(String),
    /// The line is no record.
    #[error("no record: {0}")]
    Unreadable(String),
    /// The line is a record of a kind that this version does not know.
    #[error("a record of the kind '{0}', which this version does not know; a newer hall wrote it, use that one")]
    UnknownKind(String),
    /// The line is a record in a form that this ledger never writes.
    #[error("the record is not in its canonical form")]
    NotCanonical,
}

impl Record {
    /// The record at this place, its text cleaned.
    #[must_use]
    pub fn new(sequence: u64, event: Event) -> Self {
        Self { sequence, event: event.cleaned() }
    }

    /// The record as one line of canonical JSON, without the newline.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn to_line(&self) -> Result<Vec<u8>, RecordError> {
        let value = self.to_value().map_err(RecordError::Unwritable)?;
        let line = canonical(&value).map_err(|error| RecordError::Unwritable(error.to_string()))?;
        if line.len() > MAX_RECORD {
            return Err(RecordError::TooLong(line.len()));
        }
        let text = std::str::from_utf8(&line).map_err(|error| RecordError::Unwritable(error.to_string()))?;
        if text.chars().any(char::is_control) { Err(RecordError::Control) } else { Ok(line) }
    }

    /// The record as a JSON value.
    ///
    /// # Errors
    /// If it cannot be written as JSON.
    pub fn to_value(&self) -> Result<Value, String> {
        let mut value = serde_json::to_value(&self.event).map_err(|error| error.to_string())?;
        if let Some(members) = value.as_object_mut() {
            members.insert("sequence".to_owned(), self.sequence.into());
        }
        Ok(value)
    }

    /// Reads a line: strict JSON, known members only, and byte for byte what [`to_line`](Self::to_line) would write.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn from_line(line: &[u8]) -> Result<Self, RecordError> {
        if line.len() > MAX_RECORD {
            return Err(RecordError::TooLong(line.len()));
        }
        let unreadable = |message: String| RecordError::Unreadable(message.chars().take(300).collect());
        let mut value = parse(line).map_err(|error| unreadable(error.to_string()))?;
        let sequence = value.as_object_mut().and_then(|members| members.remove("sequence"));
        let sequence = sequence.and_then(|value| value.as_u64()).ok_or_else(|| unreadable("it has no sequence".to_owned()))?;
        let kind =
            value.get("event").and_then(Value::as_str).filter(|kind| EventKind::ALL.iter().all(|known| known.as_str() != *kind));
        if let Some(kind) = kind {
            return Err(RecordError::UnknownKind(kind.chars().take(64).flat_map(char::escape_default).collect()));
        }
        let event = serde_json::from_value(value).map_err(|error| unreadable(error.to_string()))?;
        let record = Self { sequence, event };
        if record.to_line().is_ok_and(|written| written == line) { Ok(record) } else { Err(RecordError::NotCanonical) }
    }
}

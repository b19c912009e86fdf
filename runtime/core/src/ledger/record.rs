//! Gate 11: the decision is durable, or the call is denied.
//!
//! [`RecordedCall`] is a gate type: only [`record`] makes one, from an [`Admission`] that it consumes; it cannot be cloned
//! or read from data. Taking it apart gives the work to do and an [`OpenRecord`], which is closed with how the run ended.
//! One that is dropped is closed as cancelled: whoever held it gave the run up. So an open record that is never closed is a
//! run that was interrupted by the end of the process or the failure of its disk, and the audit says so.

use std::sync::Arc;
use std::time::Instant;

use serde_json::{Map, Value, json};

use crate::capability::Grants;
use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::failure::FailureCode;
use crate::govern::approval::Granted;
use crate::govern::basis::Considered;
use crate::govern::call::{Call, Caller};
use crate::govern::decide::{Admission, DecisionFacts, Moment, Refusal};
use crate::govern::host::HostFacts;
use crate::govern::isolation::Isolation;
use crate::govern::wcp::Word as _;
use crate::id::{KeyId, ToolName};
use crate::json;
use crate::package::Package;
use crate::registry::approval::{ApprovalEvent, ApprovalState, Step};
use crate::registry::{Change, Registry, RegistryError};
use crate::trust::AttestationFacts;

use super::change::{ChangeError, change};
use super::event::{Decision, End, Event, EventKind, MAX_ID};
use super::reserve::Reserved;
use super::{Ledger, LedgerError};

/// The member of `data` that holds what a decision was taken from: a [`Basis`](crate::govern::basis::Basis).
pub(super) const BASIS: &str = "basis";
/// The member of `data` that names what stands in the record otherwise than it was said.
pub(super) const ALTERED: &str = "altered";

/// A call whose admission is on disk.
pub struct RecordedCall {
    work: Work,
    open: OpenRecord,
}

/// What is to be run.
pub struct Work {
    /// The verified package.
    pub package: Arc<Package>,
    /// The call.
    pub call: Call,
    /// The tool that runs.
    pub tool: ToolName,
    /// The powers to link.
    pub grants: Grants,
    /// Where the guest runs.
    pub isolation: Isolation,
}

/// The record of a call that is running. It is closed by value, once; dropped open, it closes itself as cancelled.
pub struct OpenRecord {
    ledger: Arc<Ledger>,
    since: Instant,
    is_open: bool,
    given_up: GivenUp,
    sequence: u64,
    event: Event,
    facts: DecisionFacts,
    attestation: AttestationFacts,
    certification: String,
    approval: Option<Granted>,
    reserved: Option<Reserved>,
}

/// How the run of a record that is dropped open ended.
pub struct GivenUp {
    /// Why.
    pub failure: FailureCode,
    /// What it had used by then.
    pub resources: Map<String, Value>,
    /// Cached code that was refused on the way, with the reasons.
    pub rejected_code: Vec<String>,
    /// To which origins it had sent requests, or had wanted to.
    pub http: Vec<Value>,
    /// Which addresses its sockets had reached, or had wanted to.
    pub sockets: Vec<Value>,
    /// Which skills it had called, or had wanted to.
    pub calls: Vec<Value>,
}

impl Default for GivenUp {
    fn default() -> Self {
        Self {
            failure: FailureCode::Cancelled,
            resources: Map::new(),
            rejected_code: Vec::new(),
            http: Vec::new(),
            sockets: Vec::new(),
            calls: Vec::new(),
        }
    }
}

/// How a run ended, for its record.
#[derive(Clone, Debug)]
pub struct RunEnd {
    /// The digest of the result's canonical form, if it was done.
    pub output: Option<Digest>,
    /// The failure's code, if it failed.
    pub failure: Option<FailureCode>,
    /// What it used, as the receipt says it.
    pub resources: Map<String, Value>,
    /// How long it took, in microseconds.
    pub duration_us: u64,
    /// Cached code that was refused on the way, with the reasons.
    pub rejected_code: Vec<String>,
    /// To which origins it wanted to send requests, and how many; no paths, no bodies.
    pub http: Vec<Value>,
    /// Which addresses its sockets were to reach, and how often; no contents.
    pub sockets: Vec<Value>,
    /// Which skills it called, or wanted to, each with the decision about that call.
    pub calls: Vec<Value>,
    /// When it ended.
    pub at: Timestamp,
}

/// Writes the admission to the ledger. When this returns, it is durable.
///
/// # Errors
/// `DENY_LEDGER_UNAVAILABLE` if it could not be written; then nothing runs. `DENY_INTERNAL_ERROR` if the share is another call's.
pub fn record(
    ledger: &Arc<Ledger>,
    registry: &dyn Registry,
    host: &HostFacts,
    admission: Admission,
    reserved: Reserved,
) -> Result<RecordedCall, Denial> {
    let facts = admission.facts().clone();
    if !reserved.is_of(&facts.decision_id) {
        return Err(Denial::new(Code::InternalError, "the share of the quota was taken for another call"));
    }
    let mut event = base(EventKind::SkillExecute, facts.at, admission.call(), Some(admission.caller()), host);
    event.tool = Some(admission.tool().clone());
    decided(&mut event, &facts);
    considered(&mut event, admission.considered());
    event.hashes.insert("input".to_owned(), input_digest(admission.call()));
    let verified = admission.verified();
    event.decision = Some(Decision::Allow);
    event.data.insert("certification".into(), verified.certification().id.as_str().into());
    event.data.insert("grants".into(), admission.grants().list().into());
    let approval = admission.approval().cloned();
    if let Some(approval) = &approval {
        use_up(ledger, registry, approval, &event)?;
        let Granted { id, by, key, own, .. } = approval;
        event.data.insert("approval".into(), json!({ "id": id, "by": by, "key": key, "own": own }));
    }
    if let Isolation::Process { .. } = admission.isolation() {
        event.data.insert("isolation".into(), "process".into());
    }
    let sequence = ledger
        .append(vec![event.clone()])
        .and_then(|sequences| sequences.first().copied().ok_or_else(|| LedgerError::Broken("it gave no sequence".into())))
        .map_err(|error| error.denial())?;
    let (attestation, certification) = (verified.attestation().clone(), verified.certification().id.clone());
    let (package, call, tool, grants, isolation) = admission.into_work();
    Ok(RecordedCall {
        work: Work { package, call, tool, grants, isolation },
        open: OpenRecord {
            ledger: ledger.clone(),
            since: Instant::now(),
            is_open: true,
            given_up: GivenUp::default(),
            sequence,
            event,
            facts,
            attestation,
            certification,
            approval,
            reserved: Some(reserved),
        },
    })
}

/// Uses an approval up, durably and before anything runs on it. Of several calls that name it, one gets here.
fn use_up(ledger: &Ledger, registry: &dyn Registry, approval: &Granted, execute: &Event) -> Result<(), Denial> {
    let decision = execute.decision_id.clone().unwrap_or_default();
    let mut event = Event { kind: EventKind::ApprovalUsed, decision: None, data: Map::new(), ..execute.clone() };
    event = event.with("approval", approval.id.as_str()).with("by", approval.by.as_str());
    let step = ApprovalEvent { approval: approval.id.clone(), at: execute.time, step: Step::Used { decision } };
    match change(ledger, registry, event, &Change::Approval(step)) {
        Ok(_) => Ok(()),
        Err(ChangeError::Ledger(error)) => Err(error.denial()),
        Err(ChangeError::Refused(RegistryError::Conflict(message))) => {
            let code = match registry.approval(&approval.id).ok().flatten().map(|approval| approval.state) {
                Some(ApprovalState::Rejected(_)) => Code::ApprovalRejected,
                Some(ApprovalState::Used { .. }) => Code::ApprovalUsed,
                _ => Code::ApprovalExpired,
            };
            Err(Denial::new(code, message).detail("approval", approval.id.as_str()))
        }
        Err(error) => Err(Denial::new(Code::RegistryUnreachable, format!("the approval cannot be used: {error}"))),
    }
}

/// Writes a refusal: the decision DENY and the denial, in one append. A dry run is marked as such.
///
/// # Errors
/// If it could not be written; the call is denied all the same.
pub fn record_refusal(
    ledger: &Ledger,
    host: &HostFacts,
    call: &Call,
    caller: Option<&Caller>,
    refusal: &Refusal,
    moment: &Moment,
    dry_run: bool,
) -> Result<u64, LedgerError> {
    let mut execute = base(EventKind::SkillExecute, moment.now, call, caller, host);
    execute.decision_id = Some(moment.decision_id.clone());
    if let Some(facts) = &refusal.facts {
        decided(&mut execute, facts);
    }
    if let Some(known) = &refusal.considered {
        considered(&mut execute, known);
    }
    execute.decision = Some(Decision::Deny);
    execute.code = Some(refusal.denial.code);
    execute.hashes.insert("input".to_owned(), input_digest(call));
    let mut deny = execute.denied(&refusal.denial);
    deny.hashes.clear();
    if !refusal.denial.details.is_empty() {
        deny = deny.with("details", json!(refusal.denial.details));
    }
    if dry_run {
        execute = execute.with("dry_run", true);
        deny = deny.with("dry_run", true);
    }
    let sequences = ledger.append(vec![execute, deny])?;
    sequences.first().copied().ok_or_else(|| LedgerError::Broken("it gave no sequence".into()))
}

fn base(kind: EventKind, at: Timestamp, call: &Call, caller: Option<&Caller>, host: &HostFacts) -> Event {
    let mut event = Event::new(kind, at);
    event.correlation_id = Some(call.correlation_id.clone());
    event.organisation = caller.map(|caller| caller.organisation.clone());
    event.caller = caller.map(|caller| caller.name.clone());
    event.adapter = caller.map(|caller| caller.adapter.clone());
    event.skill = Some(call.skill.id.clone());
    event.version = Some(call.skill.version.clone());
    event.tool.clone_from(&call.tool);
    event.worker = Some(call.skill.id.worker_species_id());
    event.host = Some(host.host.clone());
    event.data.insert("data_label".into(), call.data_label.as_str().into());
    event.data.insert("tenant_risk".into(), call.tenant_risk.as_str().into());
    event.data.insert("qos_class".into(), call.qos_class.as_str().into());
    if let Some(capability) = &call.capability {
        event.data.insert("capability".into(), capability.as_str().into());
    }
    if let Some(caller) = caller {
        event.data.insert("as".into(), caller.authority.to_text().into());
    }
    if let Some(approval) = &call.approval {
        let bounded: String = approval.chars().filter(|c| !c.is_control()).take(MAX_ID).collect();
        event.data.insert("approval_named".into(), bounded.into());
    }
    if !call.chain.is_empty() {
        event.data.insert("called_by".into(), call.chain.to_value());
    }
    if let Some(requested) = &call.requested {
        let bounded: String = requested.chars().filter(|c| !c.is_control()).take(MAX_ID).collect();
        event.data.insert("requested".into(), bounded.into());
    }
    event
}

fn decided(event: &mut Event, facts: &DecisionFacts) {
    event.decision_id = Some(facts.decision_id.clone());
    event.matched_rule = Some(facts.matched_rule.clone());
    event.policy_version = Some(facts.policy_version.clone());
    event.hashes.insert("policy".to_owned(), facts.policy_digest);
    event.data.insert("registry_version".into(), facts.registry_version.into());
    event.data.insert("tier".into(), facts.tier.into());
    event.data.insert("blast_score".into(), facts.blast_score.into());
    event.data.insert("wcp_events".into(), facts.telemetry.clone().into_iter().map(Value::Object).collect());
    if let Some(version) = &facts.gate_policy_version {
        event.data.insert("gate_policy_version".into(), version.as_str().into());
    }
}

/// What the decision was taken from, so that it can be taken again.
fn considered(event: &mut Event, considered: &Considered) {
    let Considered { basis, keys, tool, manifest, component, package } = considered;
    event.tool.clone_from(tool);
    let hashes = [("manifest", manifest), ("component", component), ("package", package)];
    event.hashes.extend(hashes.map(|(name, digest)| (name.to_owned(), *digest)));
    event.data.insert("attested_by".into(), keys.iter().map(KeyId::as_str).collect::<Vec<_>>().into());
    event.data.insert(BASIS.into(), json!(basis));
    // What a record cannot say as it was said is named, so that nobody takes it for what was judged.
    let told = event.clone().cleaned();
    let same = [
        ("correlation_id", told.correlation_id == event.correlation_id),
        ("caller", told.caller == event.caller),
        (BASIS, told.data.get(BASIS) == event.data.get(BASIS)),
    ];
    let altered: Vec<&str> = same.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect();
    if !altered.is_empty() {
        event.data.insert(ALTERED.into(), altered.into());
    }
}

/// The digest of the input's canonical form: records hold inputs by hash, not by value.
fn input_digest(call: &Call) -> Digest {
    Digest::of(&json::canonical(call.input.value()).unwrap_or_default())
}

impl RecordedCall {
    /// The record's sequence in the ledger.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.open.sequence
    }

    /// Takes the call apart: what to run, and the record to close afterwards.
    #[must_use]
    pub fn start(self) -> (Work, OpenRecord) {
        (self.work, self.open)
    }
}

impl OpenRecord {
    /// The sequence of the decision's record.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The decision.
    #[must_use]
    pub fn facts(&self) -> &DecisionFacts {
        &self.facts
    }

    /// How the package was attested: which forms held, and which could not be judged.
    #[must_use]
    pub fn attestation(&self) -> &AttestationFacts {
        &self.attestation
    }

    /// The certification on which the call was admitted.
    #[must_use]
    pub fn certification(&self) -> &str {
        &self.certification
    }

    /// By what right it was called: `owner`, `token:ID` or `program`.
    #[must_use]
    pub fn acts_as(&self) -> &str {
        self.event.data.get("as").and_then(Value::as_str).unwrap_or_default()
    }

    /// The approval that was used up for the run.
    #[must_use]
    pub fn approval(&self) -> Option<&Granted> {
        self.approval.as_ref()
    }

    /// Writes how the run ended. When this returns the sequence of the closing record, it is durable.
    ///
    /// # Errors
    /// If it could not be written; the audit then shows the run as interrupted.
    pub fn close(mut self, end: &RunEnd) -> Result<u64, LedgerError> {
        self.is_open = false;
        self.write(end, None)
    }

    /// What its close will say if it is dropped open: why, and what the run had done by then.
    pub fn if_dropped(&mut self, given_up: GivenUp) {
        self.given_up = given_up;
    }

    /// Closes the record of a run that nobody waits for any longer. The time is the decision's and what has passed since.
    fn give_up(&mut self) -> Result<u64, LedgerError> {
        let passed = self.since.elapsed();
        let GivenUp { failure, resources, rejected_code, http, sockets, calls } = std::mem::take(&mut self.given_up);
        let end = RunEnd {
            output: None,
            failure: Some(failure),
            resources,
            duration_us: u64::try_from(passed.as_micros()).unwrap_or(u64::MAX),
            rejected_code,
            http,
            sockets,
            calls,
            at: self.facts.at.plus_millis(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX)),
        };
        self.write(&end, Some(if std::thread::panicking() { "the host panicked" } else { "the host gave the call up" }))
    }

    /// Writes the end, and gives the share of the quota back.
    fn write(&mut self, end: &RunEnd, reason: Option<&str>) -> Result<u64, LedgerError> {
        let mut event = self.event.clone();
        event.kind = EventKind::SkillComplete;
        event.time = end.at;
        event.decision = None;
        event.end = Some(ended(end.failure));
        event.failure = end.failure;
        event.duration_us = Some(end.duration_us);
        event.resources.clone_from(&end.resources);
        event.hashes.retain(|name, _| name == "manifest" || name == "component");
        if let Some(output) = end.output {
            event.hashes.insert("output".to_owned(), output);
        }
        event.data = Map::new();
        event.data.insert("decision_record".into(), self.sequence.into());
        if let Some(reason) = reason {
            event.data.insert("reason".into(), reason.into());
        }
        if !end.rejected_code.is_empty() {
            event.data.insert("rejected_code".into(), end.rejected_code.clone().into());
        }
        if !end.http.is_empty() {
            event.data.insert("http".into(), end.http.clone().into());
        }
        if !end.sockets.is_empty() {
            event.data.insert("sockets".into(), end.sockets.clone().into());
        }
        if !end.calls.is_empty() {
            event.data.insert("calls".into(), end.calls.clone().into());
        }
        let appended = self.ledger.append(vec![event]);
        // The run is over, whether its end could be written or not.
        if let Some(reserved) = self.reserved.take() {
            reserved.settle(&end.resources);
        }
        appended?.first().copied().ok_or_else(|| LedgerError::Broken("it gave no sequence".into()))
    }
}

impl Drop for OpenRecord {
    fn drop(&mut self) {
        if self.is_open {
            // A record that cannot be written stays open, and the audit tells the run as interrupted.
            let _ = self.give_up();
        }
    }
}

fn ended(failure: Option<FailureCode>) -> End {
    match failure {
        None => End::Done,
        Some(FailureCode::Killed) => End::Killed,
        Some(FailureCode::Cancelled) => End::Cancelled,
        Some(_) => End::Failed,
    }
}

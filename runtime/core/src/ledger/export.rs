//! Records as lines for other programs: those of a ledger that was verified from its first record to its signed head.
//!
//! The ledger is read twice, one append at a time: once to verify it, so that nothing of a broken one is written, and once to write.
//! What is written then must come to the same head; if it does not, the end says so.

use cap_std::fs::Dir;
use serde_json::{Map, Value, json};

use super::append::LOCK_FILE;
use super::audit::{self, AuditError};
use super::event::{Decision, Event, EventKind, Record};
use super::note::Checkpoint;
use super::read::Filter;
use super::scan::{Cursor, Fault, Step, corrupt};
use crate::json::sorted;
use crate::trust::keys::PublicKey;

/// What each line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The records as they stand in the ledger, byte for byte.
    Jsonl,
    /// WCP's telemetry envelopes: those that a decision gave, and of a call that was denied before it came to WCP's decision the
    /// `evt.os.task.denied` that says so.
    Wcp,
}

/// What was exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// How many lines were written.
    pub lines: u64,
    /// How many records the ledger held.
    pub records: u64,
    /// The signed head of these records.
    pub checkpoint: String,
}

/// An export that is not whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The ledger is not what was written, or was changed while it was read.
    #[error("nothing is exported of a ledger that is not what was written: {0}")]
    Audit(AuditError),
    /// It was changed after it had been verified.
    #[error("the export is not whole: {0}")]
    Broken(AuditError),
    /// Whoever takes the lines takes no more.
    #[error("the export is not whole: {0}")]
    Write(std::io::Error),
}

// What is wrong stands in the message, so it is not told once more as its source.
impl From<AuditError> for ExportError {
    fn from(error: AuditError) -> Self {
        Self::Audit(error)
    }
}

impl From<std::io::Error> for ExportError {
    fn from(error: std::io::Error) -> Self {
        Self::Write(error)
    }
}

/// Writes the records that fit, oldest first, each as one line without its line feed. The filter's limit does not count here.
///
/// # Errors
/// [`ExportError`]; after [`ExportError::Audit`] nothing was written.
pub fn export(
    dir: &Dir,
    key: &PublicKey,
    kept: Option<&str>,
    filter: &Filter,
    format: Format,
    write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<Exported, ExportError> {
    let report = audit::verify(dir, key, kept)?;
    let head = Checkpoint::verify(&report.checkpoint, key).map_err(AuditError::Kept)?;
    let broken = |error: super::ScanError| ExportError::Broken(error.into());
    let mut cursor = Cursor::at_start(dir).and_then(|cursor| cursor.until_now(LOCK_FILE)).map_err(broken)?;
    let (mut lines, mut telemetry) = (0, Telemetry::default());
    while cursor.frontier.size() < head.size {
        let Step::Append(batch) = cursor.step().map_err(broken)? else { break };
        for (sequence, (offset, line)) in (batch.first..).zip(&batch.lines) {
            let record = Record::from_line(line)
                .map_err(|error| broken(corrupt(sequence, cursor.segment, *offset, Fault::from(error))))?;
            if !filter.fits(&record) {
                continue;
            }
            match format {
                Format::Jsonl => {
                    write(line)?;
                    lines += 1;
                }
                Format::Wcp => {
                    for envelope in telemetry.of(&record.event) {
                        write(sorted(Value::Object(envelope)).to_string().as_bytes())?;
                        lines += 1;
                    }
                }
            }
        }
    }
    if cursor.frontier.size() != head.size || cursor.frontier.root() != head.root {
        return Err(ExportError::Broken(AuditError::Rewritten { kept: head.size }));
    }
    Ok(Exported { lines, records: head.size, checkpoint: report.checkpoint })
}

/// WCP's telemetry of one record after the other.
#[derive(Default)]
struct Telemetry {
    /// The decision that was denied before it came to WCP's; its denial is the next record.
    untold: Option<String>,
}

impl Telemetry {
    fn of(&mut self, event: &Event) -> Vec<Map<String, Value>> {
        let untold = self.untold.take();
        let is_dry = event.data.contains_key("dry_run");
        let mut envelopes: Vec<Map<String, Value>> = match event.kind {
            EventKind::SkillExecute => {
                let told = event.data.get("wcp_events").and_then(Value::as_array).into_iter().flatten();
                let told: Vec<_> = told.filter_map(Value::as_object).cloned().collect();
                if told.is_empty() && event.decision == Some(Decision::Deny) {
                    self.untold.clone_from(&event.decision_id);
                }
                told
            }
            EventKind::SkillDeny if untold.is_some() && untold == event.decision_id => vec![denied(event)],
            // A skill wanted to call another, and it came to no decision.
            EventKind::SkillDeny if event.decision_id.is_none() && event.data.contains_key("called_by") => vec![denied(event)],
            _ => Vec::new(),
        };
        if is_dry {
            envelopes.iter_mut().for_each(|envelope| drop(envelope.insert("dry_run".into(), true.into())));
        }
        envelopes
    }
}

/// The envelope of a denial in which WCP's decision had no part, in the reference's form.
fn denied(event: &Event) -> Map<String, Value> {
    let capability =
        event.skill.as_ref().map_or_else(String::new, |skill| format!("cap.skill.{}.{}", skill.namespace, skill.name));
    let message = event.data.get("message").cloned().unwrap_or_default();
    let envelope = json!({
        "event_id": "evt.os.task.denied",
        "timestamp": event.time.to_string(),
        "correlation_id": event.correlation_id.as_deref().unwrap_or_default(),
        "tenant_id": event.organisation.as_ref().map_or("", |organisation| organisation.as_str()),
        "capability_id": capability,
        "deny_code": event.code.map_or("", |code| code.as_str()),
        "deny_message": message,
        "matched_rule_id": event.matched_rule.as_deref().unwrap_or("PRE_ROUTING"),
    });
    match envelope {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

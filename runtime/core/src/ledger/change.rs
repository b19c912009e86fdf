//! Changes of the registry: first a durable intent in the ledger, then the registry's commit, which carries the intent's
//! sequence and digest. So the registry can always be held against the ledger, and a change that a crash interrupted is
//! finished by whoever opens the hall next.

use std::collections::BTreeMap;
use std::io;

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use super::append::{LOCK_FILE, Ledger, LedgerError};
use super::event::{Event, EventKind, Record};
use super::lock::Lock;
use super::note::Checkpoint;
use super::scan::{Cursor, ScanError, Step, corrupt};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::json::{canonical, parse_as};
use crate::registry::{Change, Commit, Registry, RegistryError};
use crate::store;
use crate::trust::keys::PublicKey;

const CHANGE_LOCK: &str = "change.lock";
const MARKER_FILE: &str = "settled";
const MARKER_MAX: u64 = 4096;
/// So many records may stand behind the marker before it is moved.
const MARKER_STRIDE: u64 = 256;

/// A change was not made, or the registry and the ledger do not belong together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The registry refuses the change; nothing is changed.
    #[error(transparent)]
    Refused(RegistryError),
    /// The registry did not answer before anything was recorded; nothing is changed.
    #[error("{0}; nothing is changed")]
    Unreachable(RegistryError),
    /// The change is recorded, and the registry did not answer. It will be applied as soon as it does.
    #[error("the change is recorded as {sequence} and will be applied when the registry answers: {message}")]
    Pending {
        /// The intent's record.
        sequence: u64,
        /// What the registry said.
        message: String,
    },
    /// The ledger did not take the intent; nothing is changed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The change has no canonical form; nothing is changed.
    #[error("the change cannot be recorded: {0}")]
    Unwritable(String),
    /// The registry was changed without a record in the ledger.
    #[error("the registry holds a change under {sequence} that the ledger does not announce")]
    Unannounced {
        /// The sequence that the registry notes.
        sequence: u64,
    },
    /// The registry was changed otherwise than the ledger says.
    #[error("the registry's change under {sequence} is not the one that the ledger announces")]
    Different {
        /// The intent's record.
        sequence: u64,
    },
    /// A change that the ledger announces is missing in the registry, though later ones are there.
    #[error("the registry lacks the change of record {sequence}, though it has that of {later}")]
    Missing {
        /// The intent's record.
        sequence: u64,
        /// A later intent whose change is there.
        later: u64,
    },
    /// The ledger ends before records whose changes were settled: it was cut or rolled back.
    #[error("the ledger was cut or rolled back: it holds {found} records, and {settled} were settled")]
    LedgerCut {
        /// How many records were settled.
        settled: u64,
        /// How many there are.
        found: u64,
    },
}

impl From<ScanError> for ChangeError {
    fn from(error: ScanError) -> Self {
        Self::Ledger(error.into())
    }
}

impl From<io::Error> for ChangeError {
    fn from(error: io::Error) -> Self {
        Self::Ledger(error.into())
    }
}

/// What was outstanding and has been settled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Records whose changes were applied.
    pub applied: Vec<u64>,
    /// Records whose changes the registry refuses; each has a `registry.void` record now.
    pub voided: Vec<u64>,
}

/// Makes a change: settles what is outstanding, asks the registry whether it would take the change, records `event` with
/// the change inside, and applies it. One change is made at a time in a hall. Returns the record's sequence.
///
/// # Errors
/// [`ChangeError`]; [`ChangeError::Pending`] is the only one after which the change can still come to pass.
pub fn change(ledger: &Ledger, registry: &dyn Registry, event: Event, change: &Change) -> Result<u64, ChangeError> {
    let lock = Lock::exclusive(&ledger.dir, CHANGE_LOCK)?;
    let now = event.time;
    settle(ledger, registry, now)?;
    registry.check(change).map_err(refusal)?;
    let intent = announce(ledger, event, change)?;
    apply(ledger, registry, &intent, now)?;
    drop(lock);
    Ok(intent.sequence)
}

/// Settles what is outstanding: an intent without a commit is applied in its order, one that the registry refuses for good
/// is voided. To be called when a hall is opened; `now` is the time of the records it may write.
///
/// # Errors
/// [`ChangeError`], if the registry does not answer or holds what the ledger does not say.
pub fn reconcile(ledger: &Ledger, registry: &dyn Registry, now: Timestamp) -> Result<Reconciled, ChangeError> {
    let lock = Lock::exclusive(&ledger.dir, CHANGE_LOCK)?;
    let reconciled = settle(ledger, registry, now);
    drop(lock);
    reconciled
}

/// Holds the whole registry against the whole ledger and changes nothing. Returns the sequences of intents that are
/// outstanding.
///
/// # Errors
/// [`ChangeError`], if the registry does not answer or holds what the ledger does not say.
pub fn compare(dir: &Dir, key: &PublicKey, registry: &dyn Registry) -> Result<Vec<u64>, ChangeError> {
    let log = Announced::gather(dir, key, None)?;
    let commits = registry.commits(0).map_err(refusal)?;
    Ok(log.outstanding(&commits)?.iter().map(|intent| intent.sequence).collect())
}

/// A change as the ledger announces it.
#[derive(Clone, Debug)]
struct Intent {
    sequence: u64,
    digest: Digest,
    change: Change,
}

fn announce(ledger: &Ledger, mut event: Event, change: &Change) -> Result<Intent, ChangeError> {
    let digest = digest(change)?;
    let mut events = Vec::new();
    if ledger.size()? == 0 {
        // Commits are asked for by "greater than", so none can be the first record of all.
        events.push(Event::new(EventKind::RegistryOpen, event.time));
    }
    event.change = Some(change.clone());
    events.push(event);
    let sequence = ledger.append(events)?.last().copied().unwrap_or_default();
    Ok(Intent { sequence, digest, change: change.clone() })
}

/// Applies a recorded change; if the registry refuses it for good, the ledger says so, too.
fn apply(ledger: &Ledger, registry: &dyn Registry, intent: &Intent, now: Timestamp) -> Result<(), ChangeError> {
    match registry.apply(&intent.change, Commit { sequence: intent.sequence, digest: intent.digest }) {
        Ok(()) => Ok(()),
        Err(RegistryError::Unreachable(message)) => Err(ChangeError::Pending { sequence: intent.sequence, message }),
        Err(error) => {
            void(ledger, intent, &error, now)?;
            Err(ChangeError::Refused(error))
        }
    }
}

fn void(ledger: &Ledger, intent: &Intent, error: &RegistryError, now: Timestamp) -> Result<(), ChangeError> {
    let event = Event::new(EventKind::RegistryVoid, now)
        .with("intent", intent.sequence)
        .with("digest", intent.digest.to_string())
        .with("reason", error.to_string());
    ledger.append(vec![event])?;
    Ok(())
}

fn settle(ledger: &Ledger, registry: &dyn Registry, now: Timestamp) -> Result<Reconciled, ChangeError> {
    let marker = Marker::load(&ledger.dir);
    let (log, commits) = gather(ledger, registry, marker.as_ref())?;
    let mut reconciled = Reconciled::default();
    for intent in log.outstanding(&commits)? {
        match apply(ledger, registry, intent, now) {
            Ok(()) => reconciled.applied.push(intent.sequence),
            Err(ChangeError::Refused(_)) => reconciled.voided.push(intent.sequence),
            Err(error) => return Err(error),
        }
    }
    let settled = marker.as_ref().map_or(0, |marker| marker.sequence);
    if log.size.saturating_sub(settled) >= MARKER_STRIDE || log.complete && marker.is_some() {
        let last = registry.commits(commits.last().map_or(0, |commit| commit.sequence.saturating_sub(1))).map_err(refusal)?;
        let commit = last.last().copied().or(marker.and_then(|marker| marker.commit));
        Marker { sequence: log.size, segment: log.resume.0, offset: log.resume.1, commit }.save(&ledger.dir)?;
    }
    Ok(reconciled)
}

/// What the ledger announces and the registry holds beyond the marker; of all time, if there is no marker or the registry
/// no longer holds the last change that was settled (it was replaced by an older one or an empty one).
fn gather(ledger: &Ledger, registry: &dyn Registry, marker: Option<&Marker>) -> Result<(Announced, Vec<Commit>), ChangeError> {
    if let Some(marker) = marker {
        let known = marker.commit;
        let mut commits = registry.commits(known.map_or(0, |commit| commit.sequence.saturating_sub(1))).map_err(refusal)?;
        let holds = known.is_none_or(|known| commits.first() == Some(&known));
        commits.retain(|commit| known.is_none_or(|known| commit.sequence > known.sequence));
        if holds && commits.iter().all(|commit| commit.sequence >= marker.sequence) {
            return Ok((Announced::gather(&ledger.dir, ledger.public_key(), Some(marker))?, commits));
        }
        let log = Announced::gather(&ledger.dir, ledger.public_key(), None)?;
        log.reaches(marker)?;
        return Ok((log, registry.commits(0).map_err(refusal)?));
    }
    Ok((Announced::gather(&ledger.dir, ledger.public_key(), None)?, registry.commits(0).map_err(refusal)?))
}

/// What the ledger announces from a place on, verified up to its signed head.
struct Announced {
    intents: BTreeMap<u64, Intent>,
    voided: BTreeMap<u64, Digest>,
    size: u64,
    /// Where a later reader can begin.
    resume: (u64, u64),
    /// Whether this is all that was ever announced.
    complete: bool,
}

impl Announced {
    fn gather(dir: &Dir, key: &PublicKey, marker: Option<&Marker>) -> Result<Self, ChangeError> {
        // A marker that fits nothing is only a lost short cut.
        let resumed = marker.and_then(|marker| Cursor::at_frontier(dir, marker.segment, marker.offset).ok().zip(Some(marker)));
        let resumed = resumed.filter(|((cursor, _), marker)| cursor.frontier.size() <= marker.sequence);
        let (cursor, mut note, resume, from) = match resumed {
            Some(((cursor, batch), marker)) => (cursor, Some(batch.note), (marker.segment, marker.offset), marker.sequence),
            None => (Cursor::at_start(dir)?, None, (0, 0), 0),
        };
        let mut cursor = cursor.until_now(LOCK_FILE)?;
        let mut log = Self { intents: BTreeMap::new(), voided: BTreeMap::new(), size: 0, resume, complete: from == 0 };
        while let Step::Append(batch) = cursor.step()? {
            if batch.has_frontier {
                log.resume = (cursor.segment, batch.note_offset);
            }
            for (sequence, (offset, line)) in (batch.first..).zip(&batch.lines) {
                if sequence >= from {
                    let read = Record::from_line(line);
                    let record = read.map_err(|error| corrupt(sequence, cursor.segment, *offset, error.into()))?;
                    log.take(sequence, record.event)?;
                }
            }
            note = Some(batch.note);
        }
        log.size = cursor.frontier.size();
        // The head's root stands for every record that was read.
        Checkpoint::verify(&note.unwrap_or_default(), key).map_err(LedgerError::Head)?;
        if let Some(marker) = marker {
            log.reaches(marker)?;
        }
        Ok(log)
    }

    fn take(&mut self, sequence: u64, event: Event) -> Result<(), ChangeError> {
        if event.kind == EventKind::RegistryVoid {
            let intent = event.data.get("intent").and_then(serde_json::Value::as_u64);
            let digest = event.data.get("digest").and_then(|value| value.as_str()).and_then(|text| text.parse().ok());
            self.voided.extend(intent.zip(digest));
        }
        if let Some(change) = event.change {
            self.intents.insert(sequence, Intent { sequence, digest: digest(&change)?, change });
        }
        Ok(())
    }

    fn reaches(&self, marker: &Marker) -> Result<(), ChangeError> {
        if self.size < marker.sequence {
            return Err(ChangeError::LedgerCut { settled: marker.sequence, found: self.size });
        }
        Ok(())
    }

    /// The intents that are to be applied, in order, after every commit was found to be announced.
    fn outstanding(&self, commits: &[Commit]) -> Result<Vec<&Intent>, ChangeError> {
        for commit in commits {
            let sequence = commit.sequence;
            let intent = self.intents.get(&sequence).ok_or(ChangeError::Unannounced { sequence })?;
            if intent.digest != commit.digest || self.is_void(intent) {
                return Err(ChangeError::Different { sequence });
            }
        }
        let committed: BTreeMap<u64, Digest> = commits.iter().map(|commit| (commit.sequence, commit.digest)).collect();
        let open = |intent: &&Intent| !committed.contains_key(&intent.sequence) && !self.is_void(intent);
        let outstanding: Vec<&Intent> = self.intents.values().filter(open).collect();
        // A change that is made after a later one could undo it.
        if let (Some(first), Some((later, _))) = (outstanding.first(), committed.last_key_value())
            && *later > first.sequence
        {
            return Err(ChangeError::Missing { sequence: first.sequence, later: *later });
        }
        Ok(outstanding)
    }

    fn is_void(&self, intent: &Intent) -> bool {
        self.voided.get(&intent.sequence) == Some(&intent.digest)
    }
}

/// Up to where everything is settled: a short cut, so that an open does not read the whole ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Marker {
    /// All intents before this record are settled.
    sequence: u64,
    /// A segment and the offset of a line with the frontier, at or before that record.
    segment: u64,
    offset: u64,
    /// The last commit that was seen.
    commit: Option<Commit>,
}

impl Marker {
    fn load(dir: &Dir) -> Option<Self> {
        parse_as(&store::read(dir, MARKER_FILE, MARKER_MAX).ok()?).ok()
    }

    fn save(&self, dir: &Dir) -> Result<(), ChangeError> {
        let bytes = canonical(self).map_err(|error| ChangeError::Unwritable(error.to_string()))?;
        Ok(store::write(dir, MARKER_FILE, &bytes, 0o600)?)
    }
}

fn digest(change: &Change) -> Result<Digest, ChangeError> {
    Ok(Digest::of(&canonical(change).map_err(|error| ChangeError::Unwritable(error.to_string()))?))
}

fn refusal(error: RegistryError) -> ChangeError {
    if matches!(error, RegistryError::Unreachable(_)) { ChangeError::Unreachable(error) } else { ChangeError::Refused(error) }
}

//! Whether the ledger is what was written, from its first record to its signed head.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use cap_std::fs::Dir;
use serde::Serialize;

use super::append::LOCK_FILE;
use super::event::{Decision, EventKind, Record};
use super::merkle::{self, Prover};
use super::note::{Checkpoint, NoteError};
use super::scan::{Batch, Corrupt, Cursor, Fault, ScanError, Step, Torn, corrupt};
use super::segment;
use crate::digest::Digest;
use crate::trust::keys::PublicKey;

/// A ledger in which everything fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Which ledger.
    pub origin: String,
    /// How many records it holds.
    pub records: u64,
    /// In how many files.
    pub segments: usize,
    /// Its signed head. Keep it elsewhere, and give it to the next audit.
    pub checkpoint: String,
    /// Executions that were allowed and of which no end is recorded: they run still, or were interrupted.
    pub interrupted: Vec<Interrupted>,
    /// An append that was never finished, at the very end: it was never durable and the next writer cuts it off.
    pub torn: Option<Torn>,
    /// The size of the kept checkpoint that this ledger was found to continue.
    pub continues: Option<u64>,
}

/// An execution without an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Interrupted {
    /// The record that allows it.
    pub sequence: u64,
    /// Its decision id.
    pub decision_id: String,
}

/// The ledger is not what was written, or it cannot be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError {
    /// The first bad record.
    #[error(transparent)]
    Corrupt(Box<Corrupt>),
    /// The files cannot be read.
    #[error("the ledger cannot be read: {0}")]
    Io(String),
    /// The kept checkpoint is none of this ledger's.
    #[error("the kept checkpoint: {0}")]
    Kept(NoteError),
    /// The ledger was cut or rolled back: it ends before the kept checkpoint.
    #[error("the ledger was cut or rolled back: it holds {found} records, and the kept checkpoint signs {kept}")]
    Cut {
        /// The kept checkpoint's size.
        kept: u64,
        /// What is there.
        found: u64,
    },
    /// The ledger's history before the kept checkpoint is another one.
    #[error("the ledger's first {kept} records are not those that the kept checkpoint signs")]
    Rewritten {
        /// The kept checkpoint's size.
        kept: u64,
    },
    /// There is no such record.
    #[error("the ledger has no record {0}")]
    NoRecord(u64),
}

impl From<ScanError> for AuditError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Corrupt(corrupt) => Self::Corrupt(corrupt),
            ScanError::Io(message) => Self::Io(message),
        }
    }
}

/// Reads the whole ledger and checks every record, every signature and that each end has its decision; against a note that
/// was kept elsewhere also that nothing before it was cut or rewritten.
///
/// # Errors
/// [`AuditError`], naming the first bad record.
pub fn verify(dir: &Dir, key: &PublicKey, kept: Option<&str>) -> Result<Report, AuditError> {
    let kept = kept.map(|note| Checkpoint::verify(note, key)).transpose().map_err(AuditError::Kept)?;
    let mut cursor = Cursor::at_start(dir)?.until_now(LOCK_FILE)?;
    let mut audit = Audit { key, kept: kept.as_ref(), head: None, open: HashMap::new(), segments: 0 };
    let torn = loop {
        let before = cursor.frontier.clone();
        match cursor.step()? {
            Step::Append(batch) => audit.append(before, cursor.segment, batch)?,
            Step::End => break None,
            Step::Torn(torn) => break Some(torn),
        }
    };
    let Some((head, note)) = audit.head else {
        return Err(corrupt(0, 0, 0, Fault::CheckpointLine).into());
    };
    let there = segment::list(dir).map_err(ScanError::from)?;
    if let Some(stray) = there.iter().filter(|first| **first <= cursor.segment).nth(audit.segments) {
        return Err(corrupt(head.size, *stray, 0, Fault::SegmentStray).into());
    }
    if let Some(kept) = kept.as_ref().filter(|kept| kept.size > head.size) {
        return Err(AuditError::Cut { kept: kept.size, found: head.size });
    }
    let mut interrupted: Vec<Interrupted> =
        audit.open.into_iter().map(|(decision_id, sequence)| Interrupted { sequence, decision_id }).collect();
    interrupted.sort_by_key(|run| run.sequence);
    Ok(Report {
        origin: head.origin.to_string(),
        records: head.size,
        segments: audit.segments,
        checkpoint: note,
        interrupted,
        torn,
        continues: kept.map(|kept| kept.size),
    })
}

struct Audit<'a> {
    key: &'a PublicKey,
    kept: Option<&'a Checkpoint>,
    head: Option<(Checkpoint, String)>,
    open: HashMap<String, u64>,
    segments: usize,
}

impl Audit<'_> {
    fn append(&mut self, before: merkle::Frontier, segment: u64, batch: Batch) -> Result<(), AuditError> {
        let bad = |record, offset, fault| AuditError::from(corrupt(record, segment, offset, fault));
        for (sequence, (offset, line)) in (batch.first..).zip(&batch.lines) {
            let record = Record::from_line(line).map_err(|error| bad(sequence, *offset, error.into()))?;
            if record.sequence != sequence {
                return Err(bad(sequence, *offset, Fault::Sequence { found: record.sequence }));
            }
            self.pair(record).map_err(|fault| bad(sequence, *offset, fault))?;
        }
        let checkpoint = Checkpoint::verify(&batch.note, self.key);
        let checkpoint = checkpoint.map_err(|error| bad(batch.first, batch.note_offset, error.into()))?;
        let other = |origin| self.head.as_ref().is_some_and(|(head, _)| head.origin != origin);
        if other(checkpoint.origin.clone()) {
            return Err(bad(batch.first, batch.note_offset, Fault::Origin));
        }
        self.compare(before, &batch.leaves, &checkpoint)?;
        self.segments += usize::from(batch.note_offset == 0);
        self.head = Some((checkpoint, batch.note));
        Ok(())
    }

    /// Compares the tree with the kept checkpoint at the place where it has its size.
    fn compare(&self, mut tree: merkle::Frontier, leaves: &[Digest], now: &Checkpoint) -> Result<(), AuditError> {
        let Some(kept) = self.kept else { return Ok(()) };
        if kept.origin != now.origin {
            return Err(AuditError::Kept(NoteError::Origin));
        }
        let mut leaves = leaves.iter();
        while tree.size() < kept.size {
            let Some(leaf) = leaves.next() else { return Ok(()) };
            tree.push(*leaf);
        }
        if tree.size() == kept.size && tree.root() != kept.root {
            return Err(AuditError::Rewritten { kept: kept.size });
        }
        Ok(())
    }

    /// Every end needs the decision that allowed it; what stays open at the end was interrupted.
    fn pair(&mut self, record: Record) -> Result<(), Fault> {
        let id = record.event.decision_id.unwrap_or_default();
        match (record.event.kind, record.event.decision) {
            (EventKind::SkillExecute, Some(Decision::Allow)) => match self.open.insert(id, record.sequence) {
                Some(_) => Err(Fault::DecisionTwice),
                None => Ok(()),
            },
            (EventKind::SkillComplete, _) => self.open.remove(&id).map(drop).ok_or(Fault::EndWithoutDecision),
            _ => Ok(()),
        }
    }
}

/// A proof that a record stands in a signed ledger; its text form is C2SP tlog-proof, which other tools check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The record's sequence.
    pub index: u64,
    /// The record's line as it was recorded: what the proof is about.
    pub record: Vec<u8>,
    /// The inclusion proof (RFC 6962, section 2.1.1).
    pub hashes: Vec<Digest>,
    /// The signed head.
    pub checkpoint: String,
}

impl Proof {
    /// Whether the proof holds under this key.
    #[must_use]
    pub fn holds(&self, key: &PublicKey) -> bool {
        Checkpoint::verify(&self.checkpoint, key).is_ok_and(|head| {
            merkle::verify_inclusion(&merkle::leaf(&self.record), self.index, head.size, &self.hashes, &head.root)
        })
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "c2sp.org/tlog-proof@v1\nindex {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", BASE64.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Proves that a record stands in the ledger as its head signs it now.
///
/// # Errors
/// [`AuditError`]; [`AuditError::NoRecord`] if there is no such record.
pub fn prove(dir: &Dir, key: &PublicKey, sequence: u64) -> Result<Proof, AuditError> {
    let head = head(dir, key)?;
    let mut prover = Prover::inclusion(sequence, head.0.size).ok_or(AuditError::NoRecord(sequence))?;
    let mut cursor = Cursor::at_start(dir)?;
    let mut found = None;
    while cursor.frontier.size() < head.0.size {
        let Step::Append(batch) = cursor.step()? else { break };
        batch.leaves.iter().for_each(|leaf| prover.push(*leaf));
        let index = sequence.checked_sub(batch.first).and_then(|index| usize::try_from(index).ok());
        found = found.or(index.and_then(|index| batch.lines.into_iter().nth(index)));
    }
    let hashes = prover.finish().ok_or(AuditError::NoRecord(sequence))?;
    let (_, record) = found.ok_or(AuditError::NoRecord(sequence))?;
    let proof = Proof { index: sequence, record, hashes, checkpoint: head.1 };
    if proof.holds(key) { Ok(proof) } else { Err(AuditError::Rewritten { kept: head.0.size }) }
}

/// The ledger's signed head, read from its end.
///
/// # Errors
/// [`AuditError`] if the end is not what was written, or is not signed by this key.
pub fn head(dir: &Dir, key: &PublicKey) -> Result<(Checkpoint, String), AuditError> {
    let (cursor, last) = Cursor::near_end(dir)?;
    let mut cursor = cursor.until_now(LOCK_FILE)?;
    let (mut note, mut offset) = (last.note, last.note_offset);
    while let Step::Append(batch) = cursor.step()? {
        (note, offset) = (batch.note, batch.note_offset);
    }
    let signed = Checkpoint::verify(&note, key);
    let checkpoint = signed.map_err(|error| corrupt(cursor.frontier.size(), cursor.segment, offset, error.into()))?;
    Ok((checkpoint, note))
}

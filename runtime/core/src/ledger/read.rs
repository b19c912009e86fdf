//! Reading records: all from a place on, or those that somebody looks for.
//!
//! A reader checks that the records of each append give its checkpoint's root; who signed it is for
//! [`audit`](super::audit).

use std::collections::{BTreeSet, VecDeque};

use cap_std::fs::Dir;
use semver::Version;
use serde_json::Value;

use super::append::LOCK_FILE;
use super::event::{Event, EventKind, Record};
use super::scan::{Cursor, Fault, ScanError, Step, corrupt};
use super::segment;
use crate::clock::Timestamp;
use crate::denial::Code;
use crate::digest::Digest;
use crate::id::{OrgId, SkillId};

/// Records in order, up to what was there when the reading began.
pub struct Records<'a> {
    cursor: Cursor<'a>,
    from: u64,
    ready: VecDeque<(u64, u64, Vec<u8>)>,
    over: bool,
}

/// Every record whose sequence is at least `from`.
///
/// # Errors
/// [`ScanError`], here or from the iterator; after an error it ends.
pub fn read(dir: &Dir, from: u64) -> Result<Records<'_>, ScanError> {
    let segments = segment::list(dir)?;
    let cursor = match segments.iter().rev().find(|first| **first <= from) {
        None | Some(0) => Cursor::at_start(dir)?,
        Some(segment) => Cursor::at_frontier(dir, *segment, 0)?.0,
    };
    Ok(Records { cursor: cursor.until_now(LOCK_FILE)?, from, ready: VecDeque::new(), over: false })
}

impl Records<'_> {
    fn advance(&mut self) -> Result<Option<Record>, ScanError> {
        loop {
            while let Some((sequence, offset, line)) = self.ready.pop_front() {
                if sequence < self.from {
                    continue;
                }
                let bad = |fault| corrupt(sequence, self.cursor.segment, offset, fault);
                let record = Record::from_line(&line).map_err(|error| bad(error.into()))?;
                let found = record.sequence;
                return if found == sequence { Ok(Some(record)) } else { Err(bad(Fault::Sequence { found })) };
            }
            let Step::Append(batch) = self.cursor.step()? else { return Ok(None) };
            let placed = (batch.first..).zip(batch.lines).map(|(sequence, (offset, line))| (sequence, offset, line));
            self.ready.extend(placed);
        }
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.advance().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}

/// What to look for; what is absent fits everything.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// This kind of event.
    pub kind: Option<EventKind>,
    /// About this skill.
    pub skill: Option<SkillId>,
    /// In this version.
    pub version: Option<Version>,
    /// Of callers of this organisation.
    pub organisation: Option<OrgId>,
    /// Of this caller.
    pub caller: Option<String>,
    /// With this deny code.
    pub code: Option<Code>,
    /// With one of these digests; [`meant_by`] gives those that one stands for.
    pub digests: Option<BTreeSet<Digest>>,
    /// Of this decision.
    pub decision_id: Option<String>,
    /// At this time or later.
    pub since: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// At most so many, the last ones.
    pub limit: Option<usize>,
}

impl Filter {
    /// Whether a record is one that is looked for.
    #[must_use]
    pub fn fits(&self, record: &Record) -> bool {
        let event = &record.event;
        self.kind.is_none_or(|kind| event.kind == kind)
            && self.skill.as_ref().is_none_or(|skill| event.skill.as_ref() == Some(skill))
            && self.version.as_ref().is_none_or(|version| event.version.as_ref() == Some(version))
            && self.organisation.as_ref().is_none_or(|organisation| event.organisation.as_ref() == Some(organisation))
            && self.caller.as_ref().is_none_or(|caller| event.caller.as_ref() == Some(caller))
            && self.code.is_none_or(|code| event.code == Some(code))
            && self.digests.as_ref().is_none_or(|digests| named(event).any(|digest| digests.contains(&digest)))
            && self.decision_id.as_ref().is_none_or(|id| event.decision_id.as_ref() == Some(id))
            && self.since.is_none_or(|since| event.time >= since)
            && self.until.is_none_or(|until| event.time < until)
    }
}

/// The digests that a record names: what it is about, and what was published with it.
fn named(event: &Event) -> impl Iterator<Item = Digest> {
    let text = |value: &Value| value.as_str().and_then(|text| text.parse().ok());
    let package = event.data.get("package_hash").and_then(text);
    let adapters = event.data.get("adapters").and_then(Value::as_object).into_iter().flat_map(|adapters| adapters.values());
    event.hashes.values().copied().chain(package).chain(adapters.filter_map(text))
}

/// The most versions that one digest may be part of.
const MOST_VERSIONS: usize = 10_000;

/// What a digest stands for in records: itself, and the manifest of each version that was published with it as its package, component
/// or adapter. Runs name their manifest and component alone.
///
/// # Errors
/// [`ScanError`].
pub fn meant_by(dir: &Dir, digest: Digest) -> Result<BTreeSet<Digest>, ScanError> {
    let mut meant = BTreeSet::from([digest]);
    for record in read(dir, 0)? {
        let event = record?.event;
        let is_part = event.kind == EventKind::SkillPublish && named(&event).any(|named| named == digest);
        if let Some(manifest) = event.hashes.get("manifest").filter(|_| is_part && meant.len() < MOST_VERSIONS) {
            meant.insert(*manifest);
        }
    }
    Ok(meant)
}

/// Gives the records that fit, oldest first; with a limit, the last of them. Nothing is given of a ledger that cannot be read to its
/// end, and no more than one append is held at a time.
///
/// # Errors
/// [`ScanError`], or what `take` gives.
pub fn visit<E: From<ScanError>>(dir: &Dir, filter: &Filter, take: &mut dyn FnMut(Record) -> Result<(), E>) -> Result<(), E> {
    let (mut fitting, mut end) = (0_usize, 0);
    for record in read(dir, 0)? {
        let record = record?;
        fitting += usize::from(filter.fits(&record));
        end = record.sequence.saturating_add(1);
    }
    let mut skipped = filter.limit.map_or(0, |limit| fitting.saturating_sub(limit));
    for record in read(dir, 0)? {
        let record = record?;
        if record.sequence >= end {
            break;
        }
        if !filter.fits(&record) {
            continue;
        }
        match skipped.checked_sub(1) {
            Some(left) => skipped = left,
            None => take(record)?,
        }
    }
    Ok(())
}

/// The records that fit, oldest first; with a limit, the last of them.
///
/// # Errors
/// [`ScanError`].
pub fn search(dir: &Dir, filter: &Filter) -> Result<Vec<Record>, ScanError> {
    let mut found = VecDeque::new();
    for record in read(dir, 0)? {
        let record = record?;
        if !filter.fits(&record) {
            continue;
        }
        found.push_back(record);
        if filter.limit.is_some_and(|limit| found.len() > limit) {
            found.pop_front();
        }
    }
    Ok(found.into())
}

/// All records of one decision, oldest first.
///
/// # Errors
/// [`ScanError`].
pub fn decision(dir: &Dir, decision_id: &str) -> Result<Vec<Record>, ScanError> {
    search(dir, &Filter { decision_id: Some(decision_id.to_owned()), ..Filter::default() })
}

//! Reading records: all from a place on, or those that somebody looks for.
//!
//! A reader checks that the records of each append give its checkpoint's root; who signed it is for
//! [`audit`](super::audit).

use std::collections::VecDeque;

use cap_std::fs::Dir;

use super::append::LOCK_FILE;
use super::event::{EventKind, Record};
use super::scan::{Cursor, Fault, ScanError, Step, corrupt};
use super::segment;
use crate::clock::Timestamp;
use crate::denial::Code;
use crate::id::SkillId;

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
    /// With this deny code.
    pub code: Option<Code>,
    /// Of this decision.
    pub decision_id: Option<String>,
    /// At this time or later.
    pub since: Option<Timestamp>,
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
            && self.code.is_none_or(|code| event.code == Some(code))
            && self.decision_id.as_ref().is_none_or(|id| event.decision_id.as_ref() == Some(id))
            && self.since.is_none_or(|since| event.time >= since)
    }
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

//! The one reader of segment files: it yields appends whose records hash to the root of their checkpoint line.
//!
//! Who signed the checkpoints is judged by the caller: the last root stands for everything before it, so one signature
//! is enough for a reader who goes to the end; an audit checks every one.

use std::fmt;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};

use cap_std::fs::{Dir, File};
use serde::Serialize;

use super::event::{Record, RecordError};
use super::merkle::{Frontier, leaf};
use super::note::{Checkpoint, NoteError};
use super::segment::{self, CheckpointLine, MAX_BATCH_BYTES, MAX_BATCH_RECORDS, MAX_LINE};
use crate::digest::Digest;

/// What is wrong at one place of a ledger.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The record's bytes are not those that were recorded.
    #[error("the record was edited")]
    Edited,
    /// Another record stands here: one was removed, added, moved or doubled.
    #[error("a record with sequence {found} stands here: one was removed, added, moved or doubled")]
    Sequence {
        /// The sequence that the record says.
        found: u64,
    },
    /// The line is no record.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Records and checkpoint do not belong together, and which of them was changed cannot be told.
    #[error("the records do not give the root of their checkpoint")]
    Root,
    /// The checkpoint's size is not the number of records up to here.
    #[error("the checkpoint is of {found} records")]
    Size {
        /// The size that the checkpoint says.
        found: u64,
    },
    /// The checkpoint line cannot be read, or is where none belongs.
    #[error("the checkpoint line is broken or out of place")]
    CheckpointLine,
    /// The checkpoint is not one of this ledger's key.
    #[error(transparent)]
    Signature(#[from] NoteError),
    /// The checkpoint is of another ledger.
    #[error("the checkpoint is of another ledger")]
    Origin,
    /// More records, or longer ones, than an append ever holds.
    #[error("more records, or longer ones, than an append holds")]
    TooMuch,
    /// The file ends in a way that no torn append does.
    #[error("the file ends inside of an append, and not as a torn write ends")]
    Ending,
    /// A segment file is not there.
    #[error("a segment file is missing")]
    SegmentMissing,
    /// A segment file stands where none belongs.
    #[error("a segment file stands where none belongs")]
    SegmentStray,
    /// The end of an execution that was never allowed.
    #[error("the end of an execution that no record allows")]
    EndWithoutDecision,
    /// An execution is allowed again under the id of one that has not ended.
    #[error("an execution is allowed a second time under the same decision id")]
    DecisionTwice,
}

/// Where a ledger is wrong: from this record on nothing is proven.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {record} ({segment}, byte {offset}): {fault}")]
pub struct Corrupt {
    /// The sequence of the first bad record.
    pub record: u64,
    /// The segment file.
    pub segment: String,
    /// Where the line begins in it, in bytes.
    pub offset: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// A reader could not go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// The ledger is not what was written.
    #[error(transparent)]
    Corrupt(#[from] Box<Corrupt>),
    /// The operating system did not give the bytes.
    #[error("the ledger cannot be read: {0}")]
    Io(String),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

/// The end of an append that was never finished: no checkpoint covers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Torn {
    /// The sequence that its first record would have had.
    pub record: u64,
    /// How many bytes it has.
    pub bytes: u64,
}

impl fmt::Display for Torn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of an append that was never finished, from record {} on", self.bytes, self.record)
    }
}

/// One append.
pub(super) struct Batch {
    /// The sequence of its first record; equal to the size if it has none (the first line of a segment).
    pub(super) first: u64,
    /// Each record line without its newline, and the byte at which it begins in the segment.
    pub(super) lines: Vec<(u64, Vec<u8>)>,
    /// The leaf hash of each.
    pub(super) leaves: Vec<Digest>,
    /// The signed note of the last line.
    pub(super) note: String,
    /// Where the last line begins.
    pub(super) note_offset: u64,
    /// Whether the last line holds the frontier.
    pub(super) has_frontier: bool,
}

/// What comes next.
pub(super) enum Step {
    Append(Batch),
    /// The end, cleanly after an append.
    End,
    /// The end, inside of an append that was never finished.
    Torn(Torn),
}

/// A place between two appends, and the state of the tree there.
pub(super) struct Cursor<'a> {
    dir: &'a Dir,
    /// The segment that is read.
    pub(super) segment: u64,
    /// Where in it, in bytes.
    pub(super) offset: u64,
    /// The tree up to here.
    pub(super) frontier: Frontier,
    /// No byte of this segment at or beyond this offset is read.
    end: Option<(u64, u64)>,
    reader: BufReader<File>,
}

impl<'a> Cursor<'a> {
    /// At the very beginning of a ledger.
    pub(super) fn at_start(dir: &'a Dir) -> Result<Self, ScanError> {
        Self::resume(dir, 0, 0, Frontier::new())
    }

    /// At a place whose tree is known.
    pub(super) fn resume(dir: &'a Dir, segment: u64, offset: u64, frontier: Frontier) -> Result<Self, ScanError> {
        let mut file = match segment::open(dir, segment, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(corrupt(frontier.size(), segment, offset, Fault::SegmentMissing));
            }
            other => other?,
        };
        file.seek(SeekFrom::Start(offset))?;
        Ok(Self { dir, segment, offset, frontier, end: None, reader: BufReader::with_capacity(64 << 10, file) })
    }

    /// After a checkpoint line that holds the frontier and begins at this offset.
    pub(super) fn at_frontier(dir: &'a Dir, segment: u64, offset: u64) -> Result<(Self, Batch), ScanError> {
        let mut cursor = Self::resume(dir, segment, offset, Frontier::new())?;
        let broken = || corrupt(segment, segment, offset, Fault::CheckpointLine);
        let Line::Whole(line) = cursor.line()? else { return Err(broken()) };
        let (read, checkpoint) = CheckpointLine::read(&line).ok_or_else(broken)?;
        let frontier = read.frontier.and_then(|peaks| Frontier::from_parts(checkpoint.size, peaks)).ok_or_else(broken)?;
        if (offset == 0 && checkpoint.size != segment) || checkpoint.size < segment {
            return Err(corrupt(segment, segment, offset, Fault::Size { found: checkpoint.size }));
        }
        if frontier.root() != checkpoint.root {
            return Err(corrupt(checkpoint.size, segment, offset, Fault::Root));
        }
        cursor.frontier = frontier;
        let (first, note) = (checkpoint.size, read.note);
        let batch = Batch { first, lines: Vec::new(), leaves: Vec::new(), note, note_offset: offset, has_frontier: true };
        Ok((cursor, batch))
    }

    /// After the last checkpoint line with a frontier of the newest segment: what an open starts from.
    pub(super) fn near_end(dir: &'a Dir) -> Result<(Self, Batch), ScanError> {
        let newest = segment::list(dir)?.pop().ok_or_else(|| corrupt(0, 0, 0, Fault::SegmentMissing))?;
        let offset = last_frontier(&mut segment::open(dir, newest, false)?)?;
        Self::at_frontier(dir, newest, offset)
    }

    /// Reads no further than what is there now, as one moment between two appends sees it.
    pub(super) fn until_now(mut self, lock_file: &str) -> Result<Self, ScanError> {
        let lock = super::lock::Lock::shared(self.dir, lock_file)?;
        let newest = segment::list(self.dir)?.pop().unwrap_or(self.segment);
        self.end = Some((newest, segment::open(self.dir, newest, false)?.metadata()?.len()));
        drop(lock);
        Ok(self)
    }

    /// The next append.
    pub(super) fn step(&mut self) -> Result<Step, ScanError> {
        let (first, start) = (self.frontier.size(), self.offset);
        let (mut lines, mut bytes) = (Vec::new(), 0);
        loop {
            let offset = self.offset;
            match self.line()? {
                Line::Whole(line) if CheckpointLine::claims(&line) => return self.close(first, offset, lines, &line),
                Line::Whole(line) => {
                    bytes += line.len();
                    lines.push((offset, line));
                    if lines.len() > MAX_BATCH_RECORDS || bytes > MAX_BATCH_BYTES {
                        return Err(self.corrupt(first, start, Fault::TooMuch));
                    }
                }
                Line::Part(part) => return self.ending(first, start, &lines, &part),
                Line::None if !lines.is_empty() => return self.ending(first, start, &lines, b""),
                Line::None if self.follow()? => {}
                Line::None => return Ok(Step::End),
            }
        }
    }

    /// The append that this checkpoint line ends, if all fits.
    fn close(&mut self, first: u64, offset: u64, lines: Vec<(u64, Vec<u8>)>, line: &[u8]) -> Result<Step, ScanError> {
        let Some((read, checkpoint)) = CheckpointLine::read(line) else {
            return Err(self.blame(first, &lines, None).unwrap_or_else(|| self.corrupt(first, offset, Fault::CheckpointLine)));
        };
        let leaves: Vec<Digest> = lines.iter().map(|(_, line)| leaf(line)).collect();
        let mut frontier = self.frontier.clone();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        if frontier.size() != checkpoint.size || frontier.root() != checkpoint.root {
            return Err(self.disagree(first, offset, &lines, &leaves, &read, &checkpoint));
        }
        // The first line of a segment, and no other, stands for no record.
        let misplaced = lines.is_empty() != (offset == 0) || (offset == 0 && read.frontier.is_none());
        let named = if leaves.len() > 1 { &leaves[..] } else { &[] };
        let wrong_frontier = read.frontier.as_deref().is_some_and(|peaks| peaks != frontier.peaks());
        if misplaced || read.leaves != named || wrong_frontier {
            return Err(self.corrupt(first, offset, Fault::CheckpointLine));
        }
        self.frontier = frontier;
        let has_frontier = read.frontier.is_some();
        Ok(Step::Append(Batch { first, lines, leaves, note: read.note, note_offset: offset, has_frontier }))
    }

    /// Names the first bad record of an append whose records do not give its checkpoint's root.
    fn disagree(
        &self,
        first: u64,
        offset: u64,
        lines: &[(u64, Vec<u8>)],
        leaves: &[Digest],
        read: &CheckpointLine,
        checkpoint: &Checkpoint,
    ) -> ScanError {
        let mut told = self.frontier.clone();
        read.leaves.iter().for_each(|leaf| told.push(*leaf));
        let trusted = (told.size() == checkpoint.size && told.root() == checkpoint.root).then_some(&read.leaves[..]);
        if let Some(error) = self.blame(first, lines, trusted) {
            return error;
        }
        if let Some(missing) = trusted.filter(|trusted| trusted.len() != leaves.len()) {
            let record = first.saturating_add(missing.len().min(leaves.len()) as u64);
            return self.corrupt(record, offset, Fault::Size { found: checkpoint.size });
        }
        let size = first.saturating_add(leaves.len() as u64);
        let fault = if checkpoint.size == size { Fault::Root } else { Fault::Size { found: checkpoint.size } };
        self.corrupt(first, offset, fault)
    }

    /// The first line that is not the record that belongs there, judged by the leaves if they can be trusted.
    fn blame(&self, first: u64, lines: &[(u64, Vec<u8>)], trusted: Option<&[Digest]>) -> Option<ScanError> {
        for ((record, (offset, line)), index) in (first..).zip(lines).zip(0..) {
            let known = trusted.and_then(|leaves| leaves.get(index));
            if known.is_some_and(|known| *known == leaf(line)) {
                continue;
            }
            let fault = match Record::from_line(line) {
                Err(error) => Fault::Record(error),
                Ok(found) if found.sequence != record => Fault::Sequence { found: found.sequence },
                Ok(_) if known.is_some() => Fault::Edited,
                Ok(_) => continue,
            };
            return Some(self.corrupt(record, *offset, fault));
        }
        None
    }

    /// The end of the file inside of an append: a write that was cut off leaves whole records and then the beginning of a
    /// line (and zeroes, where a file system grew the file before the bytes came). Anything else was not left by a crash.
    fn ending(&self, first: u64, start: u64, lines: &[(u64, Vec<u8>)], part: &[u8]) -> Result<Step, ScanError> {
        if let Some(error) = self.blame(first, lines, None) {
            return Err(error);
        }
        let zeroes = part.iter().rev().take_while(|byte| **byte == 0).count();
        let written = part.get(..part.len() - zeroes).unwrap_or_default();
        let record = first.saturating_add(lines.len() as u64);
        let begins = match serde_json::from_slice::<serde::de::IgnoredAny>(written) {
            Err(error) => error.is_eof(),
            Ok(_) => {
                CheckpointLine::read(written).is_some() || Record::from_line(written).is_ok_and(|read| read.sequence == record)
            }
        };
        let last = self.end.is_none_or(|(segment, _)| segment == self.segment)
            && segment::list(self.dir)?.last().is_none_or(|newest| *newest == self.segment);
        if begins && last && start > 0 {
            Ok(Step::Torn(Torn { record: first, bytes: self.offset - start }))
        } else {
            Err(self.corrupt(record, self.offset - part.len() as u64, Fault::Ending))
        }
    }

    /// Goes on to the segment that begins with the next record, if there is one.
    fn follow(&mut self) -> Result<bool, ScanError> {
        let next = self.frontier.size();
        if self.end.is_some_and(|(segment, _)| self.segment >= segment) {
            return Ok(false);
        }
        match segment::open(self.dir, next, false) {
            Ok(file) if next != self.segment => {
                (self.segment, self.offset, self.reader) = (next, 0, BufReader::with_capacity(64 << 10, file));
                Ok(true)
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => match segment::list(self.dir)?.last() {
                Some(newest) if *newest > next => Err(self.corrupt(next, self.offset, Fault::SegmentMissing)),
                _ => Ok(false),
            },
        }
    }

    fn line(&mut self) -> Result<Line, ScanError> {
        let left = match self.end {
            Some((segment, end)) if segment == self.segment => end.saturating_sub(self.offset),
            _ => u64::MAX,
        };
        let mut line = Vec::new();
        let read = (&mut self.reader).take(left.min(MAX_LINE as u64)).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(Line::None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if read >= MAX_LINE {
            return Err(self.corrupt(self.frontier.size(), self.offset, Fault::TooMuch));
        } else {
            self.offset += read as u64;
            return Ok(Line::Part(line));
        }
        self.offset += read as u64;
        Ok(Line::Whole(line))
    }

    fn corrupt(&self, record: u64, offset: u64, fault: Fault) -> ScanError {
        corrupt(record, self.segment, offset, fault)
    }
}

enum Line {
    Whole(Vec<u8>),
    Part(Vec<u8>),
    None,
}

pub(super) fn corrupt(record: u64, segment: u64, offset: u64, fault: Fault) -> ScanError {
    ScanError::Corrupt(Box::new(Corrupt { record, segment: segment::name(segment), offset, fault }))
}

/// Where the last line that holds a frontier begins. The first line of a segment always does.
fn last_frontier(file: &mut File) -> Result<u64, ScanError> {
    let length = file.metadata()?.len();
    let mut window = 512 << 10;
    loop {
        let start = length.saturating_sub(window);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file).take(length - start).read_to_end(&mut bytes)?;
        let mut end = bytes.len();
        while let Some(newline) = bytes.get(..end).and_then(|bytes| bytes.iter().rposition(|byte| *byte == b'\n')) {
            let begin = bytes.get(..newline).and_then(|bytes| bytes.iter().rposition(|byte| *byte == b'\n')).map(|at| at + 1);
            // Without a newline before it, the line is whole only at the beginning of the file.
            let Some(begin) = begin.or((start == 0).then_some(0)) else { break };
            let line = bytes.get(begin..newline).unwrap_or_default();
            if CheckpointLine::claims(line) && CheckpointLine::read(line).is_some_and(|(read, _)| read.frontier.is_some()) {
                return Ok(start + begin as u64);
            }
            end = begin;
        }
        if start == 0 {
            return Ok(0);
        }
        window *= 4;
    }
}

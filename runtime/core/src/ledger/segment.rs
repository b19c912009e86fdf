//! The lines of a segment file, and the files themselves.
//!
//! A segment is named by the sequence of its first record in twelve digits (`000000000000.jsonl`) and holds appends, one
//! after the other: the record lines of an append and one checkpoint line. Its first line is a checkpoint of what came
//! before. A checkpoint line of more than one record names their leaf hashes, so that an edit can be told to the record;
//! from time to time one holds the tree's frontier, from which a reader can go on without reading all that came before.

use std::io;

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};

use super::event::MAX_RECORD;
use super::merkle::Frontier;
use super::note::Checkpoint;
use crate::digest::Digest;
use crate::json::{canonical, parse_as};
use crate::trust::keys::SigningKey;

/// The most records of one append.
pub const MAX_BATCH_RECORDS: usize = 1024;
/// The most bytes of the records of one append; a single append of one caller beyond it is refused.
pub const MAX_BATCH_BYTES: usize = 8 << 20;
/// The longest line of a segment: a record, or a checkpoint with all its leaves.
pub(super) const MAX_LINE: usize = MAX_RECORD + 1;

const CHECKPOINT_START: &[u8] = b"{\"checkpoint\":";

/// The last line of an append.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CheckpointLine {
    /// The signed note.
    #[serde(rename = "checkpoint")]
    pub(super) note: String,
    /// The tree's frontier at this place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) frontier: Option<Vec<Digest>>,
    /// The leaf hashes of the append's records, if they are more than one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) leaves: Vec<Digest>,
}

impl CheckpointLine {
    /// Whether a line claims to be a checkpoint line; no record begins so.
    pub(super) fn claims(line: &[u8]) -> bool {
        line.starts_with(CHECKPOINT_START)
    }

    /// Reads a line (without its newline) that is in the one form in which it is written.
    pub(super) fn read(line: &[u8]) -> Option<(Self, Checkpoint)> {
        let read: Self = parse_as(line).ok()?;
        let checkpoint = Checkpoint::read(&read.note).ok()?;
        (canonical(&read).ok()? == line).then_some((read, checkpoint))
    }

    /// The line for a state of the tree, with its newline.
    pub(super) fn write(
        checkpoint: &Checkpoint,
        key: &SigningKey,
        frontier: Option<&Frontier>,
        leaves: &[Digest],
    ) -> Result<(String, Vec<u8>), String> {
        let note = checkpoint.sign(key);
        let leaves = if leaves.len() > 1 { leaves.to_vec() } else { Vec::new() };
        let line = Self { note, frontier: frontier.map(|frontier| frontier.peaks().to_vec()), leaves };
        let mut bytes = canonical(&line).map_err(|error| error.to_string())?;
        bytes.push(b'\n');
        Ok((line.note, bytes))
    }
}

/// The name of the segment whose first record has this sequence.
pub(super) fn name(first: u64) -> String {
    format!("{first:012}.jsonl")
}

/// The first sequences of all segments of a folder, ascending. Files with other names are none of the ledger's.
pub(super) fn list(dir: &Dir) -> io::Result<Vec<u64>> {
    let mut firsts = Vec::new();
    for entry in dir.entries()? {
        let entry = entry?.file_name();
        let first = entry.to_str().and_then(|text| text.strip_suffix(".jsonl")).and_then(|digits| digits.parse::<u64>().ok());
        firsts.extend(first.filter(|first| entry.to_str() == Some(&name(*first))));
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// Opens a segment: a regular file and no link.
pub(super) fn open(dir: &Dir, first: u64, append: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(append).custom_flags(flags());
    let file = dir.open_with(name(first), &options)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{} is no regular file", name(first))))
    }
}

pub(super) fn flags() -> i32 {
    (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC).bits().cast_signed()
}

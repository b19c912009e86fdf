//! The ledger as it is written: durable appends, shared by the threads of a process and by the processes of a hall.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write as _};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use cap_std::fs::{Dir, File};

use super::event::{Event, EventKind, Record, RecordError};
use super::lock::{Lock, is_same};
use super::merkle::{Frontier, leaf};
use super::note::{Checkpoint, NoteError, Origin};
use super::scan::{Corrupt, Cursor, ScanError, Step, Torn};
use super::segment::{self, CheckpointLine, MAX_BATCH_BYTES, MAX_BATCH_RECORDS};
use crate::clock::Timestamp;
use crate::denial::{Code, Denial};
use crate::digest::Digest;
use crate::store;
use crate::trust::keys::{KeyError, PublicKey, SigningKey};

/// The file that writers lock, in the ledger's folder.
pub(super) const LOCK_FILE: &str = "lock";

/// The ledger did not take what was to be recorded; then it must not happen.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// There is a ledger in the folder already.
    #[error("there is a ledger in this folder already")]
    Exists,
    /// The ledger is not what was written.
    #[error(transparent)]
    Corrupt(Box<Corrupt>),
    /// The ledger's head is not signed by the key that was given, or is of another ledger.
    #[error("the ledger's head: {0}")]
    Head(NoteError),
    /// The operating system refused a read or a write: a full disk, a missing folder.
    #[error("the ledger's folder: {0}")]
    Io(String),
    /// Another process has held the ledger for too long.
    #[error("the ledger is locked: {0}")]
    Locked(String),
    /// The key that signs its checkpoints cannot be used.
    #[error("the ledger's key: {0}")]
    Key(KeyError),
    /// The event cannot be a record.
    #[error(transparent)]
    Refused(#[from] RecordError),
    /// More events, or longer ones, than one append takes.
    #[error("too much for one append: at most {} records of {MAX_BATCH_BYTES} bytes together", MAX_BATCH_RECORDS - 1)]
    TooMuch,
    /// The ledger can no longer be trusted by this process: what it wrote may not be on the disk, or its files were
    /// changed under it. It takes nothing until it has been reopened.
    #[error("the ledger takes nothing until it is reopened: {0}")]
    Broken(String),
}

impl LedgerError {
    /// The denial of a gate that could not record its decision.
    #[must_use]
    pub fn denial(&self) -> Denial {
        let denial = Denial::new(Code::LedgerUnavailable, self.to_string());
        match self.hint() {
            Some(hint) => denial.advise(hint),
            None => denial,
        }
    }

    /// What to do about it, where that is not to free space or to mend the folder.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Locked(_) => Some("Wait until the other process is done, or end it, then call again; nothing is lost.".into()),
            Self::Key(error) => Some(error.hint()),
            _ => None,
        }
    }
}

impl From<ScanError> for LedgerError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Corrupt(corrupt) => Self::Corrupt(corrupt),
            ScanError::Io(message) => Self::Io(message),
        }
    }
}

impl From<io::Error> for LedgerError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::Locked(error.to_string()) } else { Self::Io(error.to_string()) }
    }
}

/// When a new segment begins, and how often a checkpoint line holds the frontier; in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) segment: u64,
    pub(super) frontier: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { segment: 64 << 20, frontier: 256 << 10 }
    }
}

/// How bytes reach the disk; a test puts a failing disk here.
#[derive(Clone, Copy)]
pub(super) struct Disk {
    pub(super) write: fn(&File, &[u8]) -> io::Result<()>,
    pub(super) sync: fn(&File) -> io::Result<()>,
}

impl Default for Disk {
    fn default() -> Self {
        Self { write: |mut file, bytes| file.write_all(bytes), sync: File::sync_data }
    }
}

/// An append-only ledger in a folder of its own.
///
/// [`append`](Self::append) returns when the records and a signed checkpoint over them are on the disk. Threads that
/// append at the same time share one write and one sync; processes take turns, and each verifies what the others wrote.
pub struct Ledger {
    pub(super) dir: Dir,
    key: SigningKey,
    public: PublicKey,
    origin: Origin,
    sizes: Sizes,
    pub(super) disk: Disk,
    state: Mutex<State>,
    queue: Mutex<Queue>,
    turn: Condvar,
}

struct State {
    head: Head,
    broken: Option<String>,
}

/// The last append that this process knows of.
struct Head {
    segment: u64,
    file: File,
    offset: u64,
    frontier: Frontier,
    note: String,
    frontier_at: u64,
    cut: Option<Torn>,
}

#[derive(Default)]
struct Queue {
    next_ticket: u64,
    waiting: VecDeque<Pending>,
    done: HashMap<u64, Outcome>,
    led: bool,
}

struct Pending {
    ticket: u64,
    events: Vec<Event>,
}

type Outcome = Result<Vec<u64>, LedgerError>;

impl Ledger {
    /// Begins a ledger in an empty folder.
    ///
    /// # Errors
    /// [`LedgerError::Exists`]; else if the folder cannot be written.
    pub fn create(dir: Dir, key: SigningKey, origin: &Origin) -> Result<Self, LedgerError> {
        Self::create_with(dir, key, origin, Sizes::default())
    }

    pub(super) fn create_with(dir: Dir, key: SigningKey, origin: &Origin, sizes: Sizes) -> Result<Self, LedgerError> {
        let lock = Lock::exclusive(&dir, LOCK_FILE)?;
        if !segment::list(&dir)?.is_empty() {
            return Err(LedgerError::Exists);
        }
        begin_segment(&dir, &key, origin, &Frontier::new())?;
        drop(lock);
        Self::open_with(dir, key, sizes)
    }

    /// Opens a ledger: verifies its signed head and what leads up to it from the last frontier that was written down, and
    /// cuts off the torn end of an append that never became durable ([`recovered`](Self::recovered) tells; the next
    /// append records it).
    ///
    /// # Errors
    /// [`LedgerError`]; a ledger that is not what was written is refused.
    pub fn open(dir: Dir, key: SigningKey) -> Result<Self, LedgerError> {
        Self::open_with(dir, key, Sizes::default())
    }

    pub(super) fn open_with(dir: Dir, key: SigningKey, sizes: Sizes) -> Result<Self, LedgerError> {
        let (public, disk) = (key.public(), Disk::default());
        let lock = Lock::exclusive(&dir, LOCK_FILE)?;
        let (cursor, last) = Cursor::near_end(&dir)?;
        let (head, origin) = advance(&dir, cursor, last.note, last.note_offset, &public)?;
        drop(lock);
        Ok(Self {
            dir,
            key,
            public,
            origin,
            sizes,
            disk,
            state: Mutex::new(State { head, broken: None }),
            queue: Mutex::default(),
            turn: Condvar::new(),
        })
    }

    /// Appends events, one after the other and in one piece, and returns their sequences. When it returns, they are on
    /// the disk.
    ///
    /// # Errors
    /// [`LedgerError`]; then none of the events may be taken as recorded.
    pub fn append(&self, events: Vec<Event>) -> Result<Vec<u64>, LedgerError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        if events.len() >= MAX_BATCH_RECORDS {
            return Err(LedgerError::TooMuch);
        }
        let mut queue = self.queue();
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back(Pending { ticket, events });
        loop {
            if let Some(outcome) = queue.done.remove(&ticket) {
                return outcome;
            }
            if queue.led {
                queue = self.turn.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.led = true;
            let mut work = std::mem::take(&mut queue.waiting);
            drop(queue);
            let lead = Lead { ledger: self, tickets: work.iter().map(|pending| pending.ticket).collect() };
            while !work.is_empty() {
                let outcomes = self.write(&mut work);
                self.queue().done.extend(outcomes);
                self.turn.notify_all();
            }
            drop(lead);
            queue = self.queue();
        }
    }

    /// The signed note of the last append that this process knows of. Keep it elsewhere: an audit that is given it
    /// notices when the ledger is cut or rolled back.
    ///
    /// # Errors
    /// [`LedgerError::Broken`].
    pub fn checkpoint(&self) -> Result<String, LedgerError> {
        Ok(self.good()?.head.note.clone())
    }

    /// How many records the ledger holds, as far as this process knows.
    ///
    /// # Errors
    /// [`LedgerError::Broken`].
    pub fn size(&self) -> Result<u64, LedgerError> {
        Ok(self.good()?.head.frontier.size())
    }

    /// What was cut off and has not been recorded yet.
    ///
    /// # Errors
    /// [`LedgerError::Broken`].
    pub fn recovered(&self) -> Result<Option<Torn>, LedgerError> {
        Ok(self.good()?.head.cut)
    }

    /// Which ledger this is.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that signs its checkpoints.
    #[must_use]
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Reads the end of the ledger again from the disk, after an error that made this process distrust it. What it knew
    /// to be durable must still be there.
    ///
    /// # Errors
    /// [`LedgerError`]; the ledger then stays broken.
    pub fn reopen(&self) -> Result<(), LedgerError> {
        let mut state = self.state.lock().map_err(|_| broken("a writer died"))?;
        let lock = Lock::exclusive(&self.dir, LOCK_FILE)?;
        // What the operating system still holds in memory proves nothing about the disk.
        rustix::fs::fadvise(&state.head.file, 0, None, rustix::fs::Advice::DontNeed).map_err(io::Error::from)?;
        if segment::open(&self.dir, state.head.segment, false)?.metadata()?.len() < state.head.offset {
            return Err(broken("the ledger was cut"));
        }
        state.head = self.beyond(&state.head)?;
        (self.disk.sync)(&state.head.file)?;
        state.broken = None;
        drop(lock);
        Ok(())
    }

    /// Writes the first of the pending appends, as many as fit into one, and says how each of them ended.
    fn write(&self, work: &mut VecDeque<Pending>) -> Vec<(u64, Outcome)> {
        let tickets: Vec<u64> = work.iter().map(|pending| pending.ticket).collect();
        let result = self.good().and_then(|mut state| {
            let lock = Lock::exclusive(&self.dir, LOCK_FILE)?;
            let result = self.catch_up(&mut state).and_then(|()| self.write_batch(&mut state, work));
            drop(lock);
            result
        });
        result.unwrap_or_else(|error| {
            work.clear();
            tickets.into_iter().map(|ticket| (ticket, Err(error.clone()))).collect()
        })
    }

    /// Reads and verifies what other processes appended.
    fn catch_up(&self, state: &mut State) -> Result<(), LedgerError> {
        let head = &state.head;
        let at = self.dir.symlink_metadata(segment::name(head.segment)).ok().filter(|at| is_same(at, &head.file));
        let Some(length) = at.map(|at| at.len()).filter(|length| *length >= head.offset) else {
            return Err(state.distrust("the segment file was replaced or cut"));
        };
        let next = head.frontier.size();
        let rotated = next != head.segment && self.dir.symlink_metadata(segment::name(next)).is_ok();
        if length == head.offset && !rotated {
            return Ok(());
        }
        match self.beyond(head) {
            Ok(head) => state.head = head,
            Err(error @ LedgerError::Io(_)) => return Err(error),
            Err(error) => {
                state.distrust(&error.to_string());
                return Err(error);
            }
        }
        Ok(())
    }

    /// The end of the ledger, read from a place that is known; what was cut off before and is not recorded yet stays told.
    fn beyond(&self, known: &Head) -> Result<Head, LedgerError> {
        let cursor = Cursor::resume(&self.dir, known.segment, known.offset, known.frontier.clone())?;
        let (head, origin) = advance(&self.dir, cursor, known.note.clone(), known.frontier_at, &self.public)?;
        if origin != self.origin {
            return Err(LedgerError::Head(NoteError::Origin));
        }
        Ok(Head { cut: head.cut.or(known.cut), ..head })
    }

    fn write_batch(&self, state: &mut State, work: &mut VecDeque<Pending>) -> Result<Vec<(u64, Outcome)>, LedgerError> {
        let mut batch = Encoded { frontier: state.head.frontier.clone(), lines: Vec::new(), leaves: Vec::new() };
        if let (Some(torn), Some(time)) = (state.head.cut, first_time(work)) {
            let event = Event::new(EventKind::LedgerRecover, time).with("bytes", torn.bytes).with("record", torn.record);
            batch.add(&[event]).map_err(|refusal| refusal.unwrap_or(LedgerError::TooMuch))?;
        }
        let mut outcomes = Vec::new();
        let mut written = Vec::new();
        while let Some(pending) = work.pop_front() {
            match batch.add(&pending.events) {
                Ok(sequences) => written.push((pending.ticket, sequences)),
                Err(None) if written.is_empty() => outcomes.push((pending.ticket, Err(LedgerError::TooMuch))),
                Err(None) => {
                    work.push_front(pending);
                    break;
                }
                Err(Some(error)) => outcomes.push((pending.ticket, Err(error))),
            }
        }
        if !written.is_empty() {
            self.commit(state, batch)?;
        }
        outcomes.extend(written.into_iter().map(|(ticket, sequences)| (ticket, Ok(sequences))));
        Ok(outcomes)
    }

    fn commit(&self, state: &mut State, batch: Encoded) -> Result<(), LedgerError> {
        let head = &mut state.head;
        if head.offset >= self.sizes.segment && head.frontier.size() > head.segment {
            // A process that died may have left bytes of the old segment that were never synced.
            if let Err(error) = (self.disk.sync)(&head.file) {
                return Err(state.distrust(&format!("the disk did not confirm a write: {error}")));
            }
            begin_segment(&self.dir, &self.key, &self.origin, &head.frontier)?;
            let file = segment::open(&self.dir, head.frontier.size(), true)?;
            (head.segment, head.frontier_at, head.offset) = (head.frontier.size(), 0, file.metadata()?.len());
            head.file = file;
        }
        let with_frontier = head.offset.saturating_sub(head.frontier_at) >= self.sizes.frontier;
        let checkpoint = Checkpoint { origin: self.origin.clone(), size: batch.frontier.size(), root: batch.frontier.root() };
        let frontier = with_frontier.then_some(&batch.frontier);
        let (note, line) = CheckpointLine::write(&checkpoint, &self.key, frontier, &batch.leaves).map_err(LedgerError::Io)?;
        let line_at = head.offset + batch.lines.len() as u64;
        let bytes = [batch.lines, line].concat();
        if let Err(error) = (self.disk.write)(&head.file, &bytes) {
            let undone = head.file.set_len(head.offset).and_then(|()| (self.disk.sync)(&head.file));
            return Err(match undone {
                Ok(()) => error.into(),
                Err(undo) => state.distrust(&format!("a write failed ({error}), and so did undoing it ({undo})")),
            });
        }
        if let Err(error) = (self.disk.sync)(&head.file) {
            return Err(state.distrust(&format!("the disk did not confirm a write: {error}")));
        }
        head.offset += bytes.len() as u64;
        if with_frontier {
            head.frontier_at = line_at;
        }
        (head.frontier, head.note, head.cut) = (batch.frontier, note, None);
        Ok(())
    }

    fn good(&self) -> Result<MutexGuard<'_, State>, LedgerError> {
        let state = self.state.lock().map_err(|_| broken("a writer died"))?;
        match &state.broken {
            Some(reason) => Err(broken(reason)),
            None => Ok(state),
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        // The queue is whole between any two of its statements.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn distrust(&mut self, reason: &str) -> LedgerError {
        self.broken = Some(reason.to_owned());
        broken(reason)
    }
}

/// Leadership of one round; whoever waits gets an answer even if the leader dies in it.
struct Lead<'a> {
    ledger: &'a Ledger,
    tickets: Vec<u64>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = self.ledger.queue();
        queue.led = false;
        if std::thread::panicking() {
            for ticket in &self.tickets {
                queue.done.entry(*ticket).or_insert_with(|| Err(broken("a writer died")));
            }
        }
        drop(queue);
        self.ledger.turn.notify_all();
    }
}

struct Encoded {
    frontier: Frontier,
    lines: Vec<u8>,
    leaves: Vec<Digest>,
}

impl Encoded {
    /// Adds all of these events or none. `Err(None)` if there is no room for them beside what is there.
    fn add(&mut self, events: &[Event]) -> Result<Vec<u64>, Option<LedgerError>> {
        let mut lines = Vec::new();
        let mut sequences = Vec::new();
        for (sequence, event) in (self.frontier.size()..).zip(events) {
            lines.push(Record::new(sequence, event.clone()).to_line().map_err(|error| Some(error.into()))?);
            sequences.push(sequence);
        }
        let bytes: usize = lines.iter().map(Vec::len).sum();
        if self.lines.len() + bytes > MAX_BATCH_BYTES || self.leaves.len() + lines.len() > MAX_BATCH_RECORDS {
            return Err(None);
        }
        for line in lines {
            let leaf = leaf(&line);
            self.frontier.push(leaf);
            self.leaves.push(leaf);
            self.lines.extend_from_slice(&line);
            self.lines.push(b'\n');
        }
        Ok(sequences)
    }
}

/// Goes from a place that is known to the end, cuts off a torn end, and checks who signed the last checkpoint. The caller
/// holds the lock; `note` and `frontier_at` are what is known of the place.
fn advance(
    dir: &Dir,
    mut cursor: Cursor<'_>,
    mut note: String,
    mut frontier_at: u64,
    public: &PublicKey,
) -> Result<(Head, Origin), LedgerError> {
    let cut = loop {
        match cursor.step()? {
            Step::Append(batch) => {
                if batch.has_frontier {
                    frontier_at = batch.note_offset;
                }
                note = batch.note;
            }
            Step::End => break None,
            Step::Torn(torn) => break Some(torn),
        }
    };
    let origin = Checkpoint::verify(&note, public).map_err(LedgerError::Head)?.origin;
    let file = segment::open(dir, cursor.segment, true)?;
    let mut offset = cursor.offset;
    if let Some(torn) = cut {
        offset = offset.saturating_sub(torn.bytes);
        file.set_len(offset)?;
        file.sync_data()?;
    }
    Ok((Head { segment: cursor.segment, file, offset, frontier: cursor.frontier, note, frontier_at, cut }, origin))
}

/// Makes a new segment, whole with its first line or not at all.
fn begin_segment(dir: &Dir, key: &SigningKey, origin: &Origin, frontier: &Frontier) -> Result<(), LedgerError> {
    let checkpoint = Checkpoint { origin: origin.clone(), size: frontier.size(), root: frontier.root() };
    let (_, line) = CheckpointLine::write(&checkpoint, key, Some(frontier), &[]).map_err(LedgerError::Io)?;
    Ok(store::write(dir, &segment::name(frontier.size()), &line, 0o600)?)
}

fn first_time(work: &VecDeque<Pending>) -> Option<Timestamp> {
    work.front()?.events.first().map(|event| event.time)
}

fn broken(reason: &str) -> LedgerError {
    LedgerError::Broken(reason.to_owned())
}

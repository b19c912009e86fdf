//! Starting a worker and hearing it out, from the side of the process that starts it.

use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::enter::entered;
use super::task::Task;
use crate::engine::EngineFault;

/// How often it is asked whether somebody still waits.
const LOOK: Duration = Duration::from_millis(20);

/// The most bytes of a worker's last words that are kept.
const MAX_WORDS: usize = 2048;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Ends every worker of this process, and lets it start no other: for a program that is being ended. Whoever waits for one
/// is told [`EngineFault::Stopped`] within a few milliseconds. A worker whose program ends without this ends with it.
pub fn interrupt() {
    INTERRUPTED.store(true, Ordering::Relaxed);
}

/// What a worker said, and how it ended.
pub(super) struct Heard {
    pub(super) answer: Vec<u8>,
    /// The end of what it wrote to standard error; empty in a worker that answered.
    pub(super) words: String,
    pub(super) status: ExitStatus,
}

/// Why a worker was not heard out. It is gone.
#[derive(Debug)]
pub(super) enum Unheard {
    /// Nobody waits any more.
    Stopped,
    /// Its time was over.
    TooLong,
    /// It said more than it may.
    TooMuch,
    /// The operating system failed.
    Failed(io::Error),
}

/// This program as a worker, with an empty environment.
///
/// # Errors
/// If this program never called [`enter`](super::enter()), and so would begin anew instead.
pub(super) fn myself(task: &Task) -> Result<Command, EngineFault> {
    if !entered() {
        return Err(EngineFault::NoWorker);
    }
    // The magic link names the file that runs, even if another was put in its place.
    let mut command = Command::new("/proc/self/exe");
    command.arg0("skillhall-worker").args(task.arguments()).env_clear().current_dir("/");
    // A group of its own, so that Ctrl-C in a terminal goes to the program alone, which then decides.
    command.process_group(0);
    Ok(command)
}

/// Runs a worker to its end: `input` is its standard input, and it may take `time` and answer at most `most` bytes.
///
/// The calling thread waits; the worker would end with this very thread.
pub(super) fn hear(
    command: &mut Command,
    input: OwnedFd,
    time: Duration,
    most: usize,
    wanted: &dyn Fn() -> bool,
) -> Result<Heard, Unheard> {
    let deadline = Instant::now().checked_add(time).ok_or(Unheard::TooLong)?;
    let wanted = || wanted() && !INTERRUPTED.load(Ordering::Relaxed);
    if !wanted() {
        return Err(Unheard::Stopped);
    }
    let child = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(Unheard::Failed)?;
    let mut worker = Running(child);
    let mut answer = Stream::new(worker.0.stdout.take(), most);
    let mut words = Stream::new(worker.0.stderr.take(), MAX_WORDS);
    while answer.is_open() || words.is_open() {
        let left = left(deadline, &wanted)?;
        wait(&answer, &words, left).map_err(Unheard::Failed)?;
        if answer.take_in().map_err(Unheard::Failed)? == Room::None {
            return Err(Unheard::TooMuch);
        }
        words.take_in().map_err(Unheard::Failed)?;
    }
    let status = loop {
        match worker.0.try_wait().map_err(Unheard::Failed)? {
            Some(status) => break status,
            None => thread::sleep(left(deadline, &wanted)?.min(Duration::from_millis(1))),
        }
    };
    Ok(Heard { answer: answer.bytes, words: String::from_utf8_lossy(&words.bytes).into_owned(), status })
}

/// How long to wait at most before looking again.
fn left(deadline: Instant, wanted: &dyn Fn() -> bool) -> Result<Duration, Unheard> {
    if !wanted() {
        return Err(Unheard::Stopped);
    }
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(Unheard::TooLong) } else { Ok(left.min(LOOK)) }
}

/// A worker that ends when this is dropped, whatever it does, and leaves no zombie.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // One that is gone and was waited for is not signalled again; nothing can be done about any other trouble.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether there was room for what a worker wrote.
#[derive(PartialEq, Eq)]
enum Room {
    Some,
    None,
}

/// One of a worker's streams, and what came of it.
struct Stream<R> {
    open: Option<R>,
    bytes: Vec<u8>,
    most: usize,
}

impl<R: Read + AsFd> Stream<R> {
    fn new(open: Option<R>, most: usize) -> Self {
        Self { open, bytes: Vec::new(), most }
    }

    fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes in what is there now, without waiting (a pipe that has something gives it). What there is no room for is dropped.
    fn take_in(&mut self) -> io::Result<Room> {
        let Some(stream) = &mut self.open else { return Ok(Room::Some) };
        if !ready(stream)? {
            return Ok(Room::Some);
        }
        let mut part = [0; 1 << 16];
        let count = match stream.read(&mut part) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(Room::Some),
            Err(error) => return Err(error),
        };
        if count == 0 {
            self.open = None;
        }
        let room = self.most.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(part.get(..count.min(room)).unwrap_or_default());
        Ok(if count > room { Room::None } else { Room::Some })
    }
}

/// Whether the program is being ended.
pub(super) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Waits until something can be read, or the other side is gone, but no longer than that.
pub(super) fn readable(stream: &impl AsFd, longest: Duration) -> io::Result<bool> {
    let mut one = [PollFd::new(stream, PollFlags::IN)];
    polled(&mut one, longest)?;
    Ok(one.iter().any(|one| !one.revents().is_empty()))
}

/// Whether reading would not wait.
fn ready(stream: &impl AsFd) -> io::Result<bool> {
    readable(stream, Duration::ZERO)
}

/// Waits until one of the open streams has something, but no longer than that.
fn wait(answer: &Stream<impl Read + AsFd>, words: &Stream<impl Read + AsFd>, longest: Duration) -> io::Result<()> {
    let answer = answer.open.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN));
    let words = words.open.as_ref().map(|stream| PollFd::new(stream, PollFlags::IN));
    let mut open: Vec<PollFd<'_>> = answer.into_iter().chain(words).collect();
    polled(&mut open, longest)
}

fn polled(streams: &mut [PollFd<'_>], longest: Duration) -> io::Result<()> {
    let longest = Timespec::try_from(longest).map_err(io::Error::other)?;
    match poll(streams, Some(&longest)) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

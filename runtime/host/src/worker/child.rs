//! One worker that runs guests, from the side of the process that started it: started, heard, told, ended.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::guest::hand;
use super::process::{interrupted, readable};
use super::wire::{Begin, Inbox, MESSAGE, Said, Say, Unread, frame, write};

/// How often a worker at work is looked at while it says nothing.
const LOOK: Duration = Duration::from_millis(20);
/// And one that has nothing to do.
const IDLE_LOOK: Duration = Duration::from_millis(250);
/// How long a worker that was killed is waited for.
const GOING: Duration = Duration::from_millis(500);
/// How many messages wait to be looked at, before the worker has to wait.
const UNHEARD: usize = 16;

/// What is heard of a worker.
#[derive(Debug)]
pub(super) enum Heard {
    /// It said this.
    Said(Said),
    /// It is no more, and how it ended.
    Gone(String),
}

/// A worker. It is ended when this is dropped.
#[derive(Debug)]
pub(super) struct Child {
    shared: Arc<Shared>,
    heard: mpsc::Receiver<Heard>,
    out: Sayer,
}

#[derive(Debug)]
struct Shared {
    process: Mutex<Option<std::process::Child>>,
    /// The most bytes of a message that it may say now.
    most: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    AtWork,
    /// Since when, and for how long at most.
    Idle(Instant, Duration),
    Over,
}

impl Child {
    /// Starts a worker and hands it its code and folders. What it says to that is heard first.
    ///
    /// The thread that starts it lives as long as it does: a worker ends with the thread that started it.
    ///
    /// # Errors
    /// If the operating system gives no socket or no thread.
    pub(super) fn start(mut command: Command, begin: Begin, files: Vec<OwnedFd>) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let shared =
            Arc::new(Shared { process: Mutex::new(None), most: AtomicUsize::new(MESSAGE), state: Mutex::new(State::AtWork) });
        let (sender, heard) = mpsc::channel(UNHEARD);
        let (out, to_say) = std::sync::mpsc::channel::<Zeroizing<Vec<u8>>>();
        let out = Sayer { out, unheard: Arc::default() };
        let (writing, unheard) = (ours.try_clone()?, Arc::clone(&out.unheard));
        // Ends when nobody says anything any more, or the worker is gone.
        thread::Builder::new().name("skillhall-tells".to_owned()).spawn(move || {
            for message in to_say {
                if write(&writing, &message).is_err() {
                    return;
                }
                unheard.fetch_sub(message.len(), Ordering::Relaxed);
            }
        })?;
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("skillhall-hears".to_owned()).spawn(move || {
            command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
            let begun = of_thread.spawn(&mut command).and_then(|()| {
                // The command still holds the worker's end.
                drop(command);
                hand(&ours, &files)?;
                drop(files);
                write(&ours, &frame(&Say::Begin(begin))?)
            });
            let why = match begun {
                Ok(()) => of_thread.hear(&ours, &sender),
                // It was started and is gone again: how it ended says more.
                Err(error) if matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) => String::new(),
                Err(error) => format!("could not be started: {error}"),
            };
            let status = of_thread.end();
            offer(&sender, Heard::Gone(ending(&why, status)));
        })?;
        Ok(Self { shared, heard, out })
    }

    /// Says something; whether it is heard shows in what comes back.
    pub(super) fn say(&self, say: &Say) -> io::Result<()> {
        self.out.try_say(say)
    }

    /// Who can say something to it.
    pub(super) fn sayer(&self) -> Sayer {
        self.out.clone()
    }

    /// What it says next.
    pub(super) async fn hear(&mut self) -> Heard {
        self.heard.recv().await.unwrap_or_else(|| Heard::Gone("is gone".to_owned()))
    }

    /// From now on its messages may have so many bytes.
    pub(super) fn may_say(&self, most: usize) {
        self.shared.most.store(most, Ordering::Relaxed);
    }

    /// It has nothing to do; after so long it is ended.
    pub(super) fn rests(&self, at_most: Duration) {
        let mut state = self.shared.state();
        if *state == State::AtWork {
            *state = State::Idle(Instant::now(), at_most);
        }
    }

    /// Whether it can be put to work: it is there, and has said nothing unasked.
    pub(super) fn wakes(&mut self) -> bool {
        let mut state = self.shared.state();
        if matches!(*state, State::Idle(..)) && self.heard.is_empty() && !self.heard.is_closed() {
            *state = State::AtWork;
            return true;
        }
        false
    }

    /// Whether it is there.
    pub(super) fn is_there(&self) -> bool {
        *self.shared.state() != State::Over
    }

    /// Its process, while there is one.
    #[cfg(test)]
    pub(super) fn pid(&self) -> Option<u32> {
        self.shared.process().as_ref().map(std::process::Child::id)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// Says things to a worker.
#[derive(Clone, Debug)]
pub(super) struct Sayer {
    out: std::sync::mpsc::Sender<Zeroizing<Vec<u8>>>,
    /// Bytes that were said and not taken yet.
    unheard: Arc<AtomicUsize>,
}

impl Sayer {
    /// Says something. One that is gone hears nothing, and that shows elsewhere.
    pub(super) fn say(&self, say: &Say) {
        let _ = self.try_say(say);
    }

    fn try_say(&self, say: &Say) -> io::Result<()> {
        let message = frame(say)?;
        self.unheard.fetch_add(message.len(), Ordering::Relaxed);
        self.out.send(message).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// How many bytes were said that it has not taken yet.
    pub(super) fn unheard(&self) -> usize {
        self.unheard.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn spawn(&self, command: &mut Command) -> io::Result<()> {
        let mut process = self.process();
        if *self.state() == State::Over {
            return Err(io::Error::other("nobody waits for it any more"));
        }
        *process = Some(command.spawn()?);
        Ok(())
    }

    /// Hears it until it is gone, and says why it is.
    fn hear(&self, socket: &UnixStream, sender: &mpsc::Sender<Heard>) -> String {
        let mut inbox = Inbox::default();
        loop {
            match inbox.next::<Said>(self.most.load(Ordering::Relaxed)) {
                Ok(Some(said)) => {
                    if !offer(sender, Heard::Said(said)) {
                        return "is not needed any more".to_owned();
                    }
                    continue;
                }
                Ok(None) => {}
                Err(Unread::Nonsense(what)) => return what.to_owned(),
                Err(Unread::Gone) => return String::new(),
            }
            let Some(look) = self.look() else { return "was ended".to_owned() };
            match readable(socket, look) {
                Ok(false) => {}
                Ok(true) => {
                    if inbox.take_in(socket).is_err() {
                        return String::new();
                    }
                }
                Err(error) => return format!("cannot be heard: {error}"),
            }
        }
    }

    /// How long to wait for a word before looking again; `None` if it is to end.
    fn look(&self) -> Option<Duration> {
        if interrupted() {
            return None;
        }
        let mut state = self.state();
        match *state {
            State::AtWork => Some(LOOK),
            State::Idle(since, at_most) if since.elapsed() < at_most => Some(IDLE_LOOK),
            State::Idle(..) | State::Over => {
                *state = State::Over;
                None
            }
        }
    }

    /// Kills it, if it is there, and waits for it; gives how it ended.
    fn end(&self) -> Option<ExitStatus> {
        *self.state() = State::Over;
        let mut process = self.process();
        let child = process.as_mut()?;
        // One that is gone is not signalled again.
        let _ = child.kill();
        let since = Instant::now();
        loop {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                // It cannot be waited for, or is stuck in the kernel; it has been killed, and does nothing more of its own.
                Err(_) => return None,
                Ok(None) if since.elapsed() > GOING => return None,
                Ok(None) => thread::sleep(Duration::from_micros(200)),
            }
        }
    }

    fn process(&self) -> MutexGuard<'_, Option<std::process::Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Passes on what was heard; `false` if nobody listens.
fn offer(sender: &mpsc::Sender<Heard>, mut heard: Heard) -> bool {
    loop {
        match sender.try_send(heard) {
            Ok(()) => return true,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(back)) => {
                if interrupted() {
                    return false;
                }
                heard = back;
                thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fn ending(why: &str, status: Option<ExitStatus>) -> String {
    if !why.is_empty() {
        return why.to_owned();
    }
    match status {
        Some(status) => match (status.signal(), status.code()) {
            // It was killed here, after it had closed the line, or by somebody else.
            (Some(signal), _) => format!("died of signal {signal}"),
            (None, Some(code)) => format!("ended with status {code}"),
            (None, None) => "ended".to_owned(),
        },
        None => "ended".to_owned(),
    }
}

/// The same file once more.
pub(super) fn again(file: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    file.as_fd().try_clone_to_owned()
}

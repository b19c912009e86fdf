//! The worker's end of the line to its parent: who asked what, and who waits for the answer.

use std::collections::BTreeMap;
use std::future::Future;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::process::exit;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::wire::{ASKS, Answer, Ask, Inbox, Said, Say, Unread, frame, write};
use crate::engine::KillHandle;

/// An answer, and how many bytes the run's own requests had moved by then.
pub(super) type Answered = (Answer, u64);

/// A run that was ordered.
pub(super) struct ToRun {
    pub(super) run: u64,
    pub(super) errand: String,
    pub(super) kill: KillHandle,
}

enum Waiting {
    /// A task.
    Task(oneshot::Sender<Answered>),
    /// A thread.
    Thread(mpsc::Sender<Answered>),
}

/// The line. Many ask; one thread listens.
pub(super) struct Line {
    out: Mutex<UnixStream>,
    asked: Mutex<Asked>,
    /// One permit for each ask that may wait.
    room: Arc<tokio::sync::Semaphore>,
}

#[derive(Default)]
struct Asked {
    run: u64,
    last: u32,
    /// How many more asks of those that count one by one.
    left: u64,
    waiting: BTreeMap<u32, Waiting>,
    /// Who gives the pieces of a request's body.
    #[cfg(feature = "http")]
    givers: BTreeMap<u32, tokio::sync::mpsc::UnboundedSender<()>>,
    kill: Option<KillHandle>,
    /// How many bytes are known here that went over the network.
    #[cfg(feature = "http")]
    bytes: u64,
}

impl Line {
    pub(super) fn new(out: UnixStream) -> Arc<Self> {
        Arc::new(Self { out: Mutex::new(out), asked: Mutex::default(), room: Arc::new(tokio::sync::Semaphore::new(ASKS)) })
    }

    /// Begins a run: nothing of the one before is waited for.
    fn begin(&self, run: u64) -> KillHandle {
        let kill = KillHandle::new();
        *self.asked() = Asked { run, kill: Some(kill.clone()), ..Asked::default() };
        kill
    }

    /// So many asks may be made in a run: as many as calls of the host. A guest that makes one more is stopped for it as soon as that
    /// returns, and the parent, which counts itself, would end the whole worker for it.
    pub(super) fn allow(&self, run: u64, asks: u64) {
        let mut asked = self.asked();
        if asked.run == run {
            asked.left = asks;
        }
    }

    /// Says something. Without anybody to say it to there is nothing left to do.
    pub(super) fn say(&self, said: &Said) {
        let out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if frame(said).and_then(|frame| write(&*out, &frame)).is_err() {
            exit(0);
        }
    }

    /// Asks once there is room, and gives what waits for the answer. `begun` is told the number before anything can come of it;
    /// the answer may be there before this returns.
    pub(super) async fn open<T>(self: &Arc<Self>, run: u64, ask: Ask, begun: impl FnOnce(u32) -> T) -> Option<(T, Waits)> {
        let permit = Arc::clone(&self.room).acquire_owned().await.ok()?;
        let (sender, receiver) = oneshot::channel();
        let id = self.register(run, &ask, Waiting::Task(sender))?;
        let begun = begun(id);
        let waits = Waits { line: Arc::clone(self), run, id, receiver, _permit: permit };
        self.say(&Said::Ask { run, id, ask });
        Some((begun, waits))
    }

    /// Asks once there is room, and waits for the answer.
    pub(super) async fn ask(self: &Arc<Self>, run: u64, ask: Ask) -> Option<Answered> {
        let ((), waits) = self.open(run, ask, |_| ()).await?;
        waits.await
    }

    /// Asks and keeps the thread waiting.
    pub(super) fn ask_now(&self, run: u64, ask: Ask) -> Option<Answered> {
        let (sender, receiver) = mpsc::channel();
        let id = self.register(run, &ask, Waiting::Thread(sender))?;
        self.say(&Said::Ask { run, id, ask });
        receiver.recv().ok()
    }

    /// Says that nobody waits for this any more.
    pub(super) fn give_up(&self, run: u64, id: u32) {
        self.say(&Said::GaveUp { run, id });
    }

    /// Who is told that a piece of this request's body is wanted.
    #[cfg(feature = "http")]
    pub(super) fn giver(&self, id: u32) -> tokio::sync::mpsc::UnboundedReceiver<()> {
        let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
        self.asked().givers.insert(id, sender);
        receiver
    }

    #[cfg(feature = "http")]
    pub(super) fn gives_no_more(&self, id: u32) {
        self.asked().givers.remove(&id);
    }

    /// How many of the bytes that went over the network by now were not known here yet.
    #[cfg(feature = "http")]
    pub(super) fn news(&self, run: u64, bytes: u64) -> u64 {
        let mut asked = self.asked();
        if asked.run != run {
            return 0;
        }
        let more = bytes.saturating_sub(asked.bytes);
        asked.bytes = asked.bytes.max(bytes);
        more
    }

    /// Gives the ask its number; none if its run is over, or it may ask no more.
    fn register(&self, run: u64, ask: &Ask, waiting: Waiting) -> Option<u32> {
        let mut asked = self.asked();
        if asked.run != run {
            return None;
        }
        if !ask.is_part() {
            asked.left = asked.left.checked_sub(1)?;
        }
        asked.last = asked.last.saturating_add(1);
        let id = asked.last;
        asked.waiting.insert(id, waiting);
        Some(id)
    }

    /// Listens until the parent is gone; what is to be run goes to `runs`.
    pub(super) fn listen(&self, socket: &UnixStream, mut inbox: Inbox, runs: &mpsc::Sender<ToRun>) {
        loop {
            match inbox.wait::<Say>(socket, usize::MAX) {
                Ok(Say::Run { run, errand }) => {
                    // From here on it can be stopped, if it has begun or not.
                    let kill = self.begin(run);
                    if runs.send(ToRun { run, errand, kill }).is_err() {
                        return;
                    }
                }
                Ok(Say::Kill(reason)) => {
                    let kill = self.asked().kill.clone();
                    if let Some(kill) = kill {
                        kill.kill(reason);
                    }
                }
                Ok(Say::Answer { id, bytes, answer }) => match self.asked().waiting.remove(&id) {
                    // Whoever does not wait any more needs no answer.
                    Some(Waiting::Task(sender)) => drop(sender.send((answer, bytes))),
                    Some(Waiting::Thread(sender)) => drop(sender.send((answer, bytes))),
                    None => {}
                },
                #[cfg(feature = "http")]
                Ok(Say::Want { id }) => {
                    if let Some(giver) = self.asked().givers.get(&id) {
                        // As above.
                        let _ = giver.send(());
                    }
                }
                Ok(Say::Begin(_)) | Err(Unread::Gone | Unread::Nonsense(_)) => return,
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for an answer. Dropped before it comes, it says so.
pub(super) struct Waits {
    line: Arc<Line>,
    run: u64,
    id: u32,
    receiver: oneshot::Receiver<Answered>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Future for Waits {
    type Output = Option<Answered>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.receiver).poll(context).map(Result::ok)
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut asked = self.line.asked();
        let waited = asked.run == self.run && asked.waiting.remove(&self.id).is_some();
        drop(asked);
        if waited {
            self.line.give_up(self.run, self.id);
        }
    }
}

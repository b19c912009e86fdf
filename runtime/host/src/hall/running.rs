//! The calls that a hall is running, and the end of its taking any.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use skillhall_core::denial::{Code, Denial};
use tokio::sync::watch;

use crate::engine::{KillHandle, KillReason};

use super::Hall;

/// For how long [`Hall::shutdown`] waits for calls that it has stopped. A guest stops within milliseconds; what can take
/// longer is a future that its program polls no more, and the disk.
const GRACE: Duration = Duration::from_secs(5);

/// What became of the calls that were running when a hall was shut down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Drained {
    /// How many ended by themselves before the deadline.
    pub finished: usize,
    /// How many were stopped at the deadline; the records of these are closed as killed.
    pub stopped: usize,
    /// How many of the stopped have not closed their records yet: nobody polls their futures. Each does so as soon as its
    /// future is polled or dropped; if the process ends before that, the audit tells it as interrupted.
    pub unclosed: usize,
}

/// The calls that are running.
pub(super) struct Running(Arc<State>);

struct State {
    calls: Mutex<Calls>,
    count: watch::Sender<usize>,
    /// How often this hall changed the registry.
    changes: watch::Sender<u64>,
}

#[derive(Default)]
struct Calls {
    next: u64,
    open: BTreeMap<u64, KillHandle>,
    draining: bool,
}

/// One call's place among those that are running, given up when it is dropped.
pub(super) struct Turn {
    state: Arc<State>,
    number: u64,
}

impl Running {
    pub(super) fn new() -> Self {
        Self(Arc::new(State { calls: Mutex::default(), count: watch::Sender::new(0), changes: watch::Sender::new(0) }))
    }

    /// Takes a call in.
    pub(super) fn enter(&self, kill: &KillHandle) -> Result<Turn, Denial> {
        let mut calls = self.0.lock();
        if calls.draining {
            return Err(Denial::new(Code::HostDraining, "this host is shutting down"));
        }
        let number = calls.next;
        calls.next = number.saturating_add(1);
        calls.open.insert(number, kill.clone());
        self.0.count.send_replace(calls.open.len());
        Ok(Turn { state: self.0.clone(), number })
    }

    /// Tells the calls that are running that the registry was changed.
    pub(super) fn registry_changed(&self) {
        self.0.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Who is told of changes of the registry from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Takes no call in from now on; gives the number of those that are running.
    fn close(&self) -> usize {
        let mut calls = self.0.lock();
        calls.draining = true;
        calls.open.len()
    }

    fn handles(&self) -> Vec<KillHandle> {
        self.0.lock().open.values().cloned().collect()
    }

    async fn empty(&self, within: Duration) {
        let mut count = self.0.count.subscribe();
        // The sender lives as long as `self`, so this ends at zero or at the time limit.
        let _ = tokio::time::timeout(within, count.wait_for(|count| *count == 0)).await;
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Calls> {
        // The map is whole between any two statements.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut calls = self.state.lock();
        calls.open.remove(&self.number);
        self.state.count.send_replace(calls.open.len());
    }
}

impl Hall {
    /// Takes no new calls from now on (they are denied with `DENY_HOST_DRAINING`, and recorded), waits for those that are
    /// running until the deadline, and then stops the rest, whose records are closed as killed. Waits at most five seconds
    /// longer than the deadline. A hall that was shut down can still be read and changed; it runs nothing any more.
    ///
    /// Must be awaited in a tokio runtime with a timer.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use skillhall::hall::Hall;
    /// use skillhall::skillhall_core::denial::Code;
    /// use skillhall::skillhall_core::govern::call::{Call, Input};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let hall = Hall::in_memory()?;
    /// let drained = hall.shutdown(Duration::from_secs(10)).await;
    /// assert_eq!((drained.finished, drained.stopped), (0, 0));
    ///
    /// let call = Call::new("org.example/double@1.0.0".parse()?, Input::parse(b"{}")?);
    /// let receipt = hall.execute(call).await?;
    /// assert_eq!(receipt.denial().map(|denial| denial.code), Some(Code::HostDraining));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn shutdown(&self, deadline: Duration) -> Drained {
        let running = self.running.close();
        self.running.empty(deadline).await;
        let handles = self.running.handles();
        for handle in &handles {
            handle.kill(KillReason::Killed("this host is shutting down".to_owned()));
        }
        self.running.empty(GRACE).await;
        self.workers.end();
        let stopped = handles.len();
        Drained { finished: running.saturating_sub(stopped), stopped, unclosed: self.running.handles().len() }
    }
}

//! Stopping a run from outside.

use std::fmt;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use wasmtime::{Engine, EngineWeak};

use crate::sandbox::Stop;

/// Why a run is stopped from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KillReason {
    /// A kill switch: the skill lost its standing while it ran. Ends as `FAIL_KILLED`.
    Killed(String),
    /// The caller withdrew. Ends as `FAIL_CANCELLED`.
    Cancelled(String),
}

impl KillReason {
    pub(crate) fn stop(self) -> Stop {
        match self {
            Self::Killed(reason) => Stop::Killed { reason },
            Self::Cancelled(reason) => Stop::Cancelled { reason },
        }
    }
}

/// Stops a run: guest code at its next loop or call, and awaited host work at once. Clones stop the same run.
#[derive(Clone)]
pub struct KillHandle(Arc<Shared>);

struct Shared {
    reason: watch::Sender<Option<KillReason>>,
    engine: Mutex<Option<EngineWeak>>,
    /// The run in which this one was called: what stops that stops this.
    above: Option<KillHandle>,
}

impl fmt::Debug for KillHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KillHandle").field(&self.reason()).finish()
    }
}

impl Default for KillHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl KillHandle {
    /// A handle for one run. Used for several runs, it stops them all.
    #[must_use]
    pub fn new() -> Self {
        Self::below(None)
    }

    /// A handle for a run that is called in another: it is stopped by its own kill, and by the other's.
    #[must_use]
    pub fn under(&self) -> Self {
        Self::below(Some(self.clone()))
    }

    fn below(above: Option<Self>) -> Self {
        Self(Arc::new(Shared { reason: watch::Sender::new(None), engine: Mutex::new(None), above }))
    }

    /// Stops the run. The first reason counts. A run that has not begun does not begin.
    pub fn kill(&self, reason: KillReason) {
        self.0.reason.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        });
        let engine = self.0.engine.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(engine) = engine.as_ref().and_then(EngineWeak::upgrade) {
            engine.increment_epoch();
        }
    }

    /// Why the run was stopped, if it was.
    #[must_use]
    pub fn reason(&self) -> Option<KillReason> {
        let own = self.0.reason.borrow().clone();
        own.or_else(|| self.0.above.as_ref()?.reason())
    }

    /// From now on a kill also bumps this engine's epoch.
    pub(super) fn attach(&self, engine: &Engine) {
        *self.0.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine.weak());
    }

    /// Returns when the run is stopped, and never otherwise.
    pub(crate) async fn killed(&self) -> KillReason {
        let mut told: Vec<_> =
            std::iter::successors(Some(self), |handle| handle.0.above.as_ref()).map(Self::told).map(Box::pin).collect();
        poll_fn(|context| {
            let stopped = told.iter_mut().find_map(|told| match told.as_mut().poll(context) {
                Poll::Ready(reason) => Some(reason),
                Poll::Pending => None,
            });
            stopped.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Returns when this very handle is used.
    async fn told(&self) -> KillReason {
        let mut watcher = self.0.reason.subscribe();
        loop {
            if let Some(reason) = watcher.borrow_and_update().clone() {
                return reason;
            }
            if watcher.changed().await.is_err() {
                // Not reached while `self` holds the sender; a lost sender must not look like a kill.
                std::future::pending::<()>().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(text: &str) -> KillReason {
        KillReason::Killed(text.to_owned())
    }

    #[test]
    fn what_stops_a_run_stops_what_it_called_and_not_the_other_way_round() {
        let outer = KillHandle::new();
        let (one, other) = (outer.under().under(), outer.under());
        one.kill(reason("inner"));
        assert_eq!((outer.reason(), other.reason(), one.reason()), (None, None, Some(reason("inner"))));
        outer.kill(reason("outer"));
        assert_eq!((other.reason(), one.reason()), (Some(reason("outer")), Some(reason("inner"))));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(other.under().killed()), reason("outer"));
    }
}

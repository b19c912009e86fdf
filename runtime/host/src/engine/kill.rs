//! Stopping a run from outside.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use wasmtime::{Engine, EngineWeak};

use crate::sandbox::Stop;

/// Why a run is stopped from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KillReason {
    /// A kill switch: the skill lost its standing while it ran. Ends as `FAIL_KILLED`.
    Killed(String),
    /// The caller withdrew. Ends as `FAIL_CANCELLED`.
    Cancelled(String),
}

impl KillReason {
    pub(super) fn stop(self) -> Stop {
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
        Self(Arc::new(Shared { reason: watch::Sender::new(None), engine: Mutex::new(None) }))
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
        self.0.reason.borrow().clone()
    }

    /// From now on a kill also bumps this engine's epoch.
    pub(super) fn attach(&self, engine: &Engine) {
        *self.0.engine.lock().unwrap_or_else(PoisonError::into_inner) = Some(engine.weak());
    }

    /// Returns when the run is stopped, and never otherwise.
    pub(super) async fn killed(&self) -> KillReason {
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

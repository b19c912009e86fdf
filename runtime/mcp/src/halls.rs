//! Which hall answers now? The one that was opened, until its configuration on the disk is another.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use skillhall::hall::{Fault, Hall};

/// A hall that is opened again when its owner has changed its configuration, so that what they granted or took away counts at the
/// next call. Calls that run go on with what they were decided by.
pub struct Halls {
    open: Box<dyn Fn() -> Result<Hall, Fault> + Send + Sync>,
    state: Mutex<State>,
}

struct State {
    now: Arc<Hall>,
    before: Vec<Weak<Hall>>,
}

impl Halls {
    /// Opens the hall. `open` is called again whenever the configuration has changed.
    ///
    /// # Errors
    /// As [`Hall::open`].
    pub fn new(open: impl Fn() -> Result<Hall, Fault> + Send + Sync + 'static) -> Result<Self, Fault> {
        let now = Arc::new(open()?);
        Ok(Self { open: Box::new(open), state: Mutex::new(State { now, before: Vec::new() }) })
    }

    /// The hall as it is configured at this moment.
    pub(crate) fn now(&self) -> Result<Arc<Hall>, Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.now.is_current()? {
            let new = Arc::new((self.open)()?);
            let old = std::mem::replace(&mut state.now, new);
            state.before.retain(|hall| hall.strong_count() > 0);
            state.before.push(Arc::downgrade(&old));
        }
        Ok(state.now.clone())
    }

    /// Takes no more calls, waits for those that run until the deadline, and stops the rest: their records are closed.
    pub async fn shutdown(&self, deadline: Duration) {
        let halls: Vec<Arc<Hall>> = {
            let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.before.iter().filter_map(Weak::upgrade).chain([state.now.clone()]).collect()
        };
        for hall in halls {
            let _ = hall.shutdown(deadline).await;
        }
    }
}

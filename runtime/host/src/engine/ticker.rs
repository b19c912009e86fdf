//! The thread that bumps the epoch while guests run, so that loops come by the deadline check.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How often a running guest is looked at. A deadline is overrun by about this much at most.
const TICK: Duration = Duration::from_millis(5);

/// Bumps the epoch of one engine every [`TICK`] while at least one run is active; sleeps otherwise.
#[derive(Debug)]
pub(super) struct Ticker(Arc<State>);

#[derive(Debug)]
struct State {
    active: Mutex<Active>,
    changed: Condvar,
}

#[derive(Debug)]
struct Active {
    runs: usize,
    closed: bool,
}

/// A run that needs the ticks, for as long as this value lives.
#[derive(Debug)]
pub(super) struct Ticking(Arc<State>);

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let state = Arc::new(State { active: Mutex::new(Active { runs: 0, closed: false }), changed: Condvar::new() });
        let (shared, engine) = (Arc::clone(&state), engine.weak());
        thread::Builder::new().name("skillhall-epoch".to_owned()).spawn(move || tick(&shared, &engine))?;
        Ok(Self(state))
    }

    pub(super) fn run(&self) -> Ticking {
        let mut active = lock(&self.0);
        active.runs = active.runs.saturating_add(1);
        drop(active);
        self.0.changed.notify_one();
        Ticking(Arc::clone(&self.0))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        lock(&self.0).closed = true;
        self.0.changed.notify_one();
    }
}

impl Drop for Ticking {
    fn drop(&mut self) {
        let mut active = lock(&self.0);
        active.runs = active.runs.saturating_sub(1);
    }
}

fn tick(state: &State, engine: &EngineWeak) {
    loop {
        let mut active = lock(state);
        while active.runs == 0 && !active.closed {
            active = state.changed.wait(active).unwrap_or_else(PoisonError::into_inner);
        }
        if active.closed {
            return;
        }
        drop(active);
        thread::sleep(TICK);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}

fn lock(state: &State) -> MutexGuard<'_, Active> {
    state.active.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A clock that runs as the machine's does, so many days off.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use skillhall_core::clock::{Clock, ClockError, SystemClock, Timestamp};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The machine's clock, shifted.
#[derive(Debug, Default)]
pub struct ShiftedClock {
    shift: AtomicI64,
    stopped: AtomicBool,
}

impl ShiftedClock {
    /// Sets how many days it is ahead.
    pub fn ahead(&self, days: i64) {
        self.shift.store(days * DAY_MS, Ordering::SeqCst);
    }

    /// Whether it knows no time any more.
    pub fn stop(&self, stopped: bool) {
        self.stopped.store(stopped, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        if self.stopped.load(Ordering::SeqCst) {
            return Err(ClockError::new("the clock of this test has stopped"));
        }
        Ok(SystemClock.now().plus_millis(self.shift.load(Ordering::SeqCst)))
    }
}

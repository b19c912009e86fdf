//! A clock that runs as the machine's does, so many days off.

use std::sync::atomic::{AtomicI64, Ordering};

use skillhall_core::clock::{Clock, SystemClock, Timestamp};

/// Milliseconds of a day.
pub const DAY_MS: i64 = 86_400_000;

/// The machine's clock, shifted.
#[derive(Debug, Default)]
pub struct ShiftedClock(AtomicI64);

impl ShiftedClock {
    /// Sets how many days it is ahead.
    pub fn ahead(&self, days: i64) {
        self.0.store(days * DAY_MS, Ordering::SeqCst);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_millis(self.0.load(Ordering::SeqCst))
    }
}

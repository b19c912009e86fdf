//! Clocks that tell whole milliseconds, so that they measure nothing finer; or stand still, in a replay.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use super::Replay;

const TICK: Duration = Duration::from_millis(1);
const TICK_NANOS: u64 = 1_000_000;

/// The time of day in whole milliseconds.
pub(super) struct Wall {
    fixed: Option<Duration>,
}

impl Wall {
    pub(super) fn new(replay: Option<&Replay>) -> Self {
        let fixed = replay.map(|replay| Duration::from_millis(u64::try_from(replay.at.millis()).unwrap_or(0)));
        Self { fixed }
    }
}

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        TICK
    }

    fn now(&self) -> Duration {
        self.fixed.unwrap_or_else(|| coarse(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()))
    }
}

/// Time since the call began, in whole milliseconds.
pub(super) struct Monotonic {
    start: Option<Instant>,
}

impl Monotonic {
    pub(super) fn new(replay: Option<&Replay>) -> Self {
        Self { start: replay.is_none().then(Instant::now) }
    }
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        TICK_NANOS
    }

    fn now(&self) -> u64 {
        let elapsed = self.start.map(|start| coarse(start.elapsed())).unwrap_or_default();
        u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX)
    }
}

fn coarse(time: Duration) -> Duration {
    Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use skillhall_core::clock::Timestamp;

    use super::*;

    #[test]
    fn clocks_tell_whole_milliseconds_only() {
        let (wall, monotonic) = (Wall::new(None), Monotonic::new(None));
        for _ in 0..2000 {
            assert_eq!(wall.now().subsec_nanos() % 1_000_000, 0);
            assert_eq!(monotonic.now() % TICK_NANOS, 0);
        }
    }

    #[test]
    fn clocks_stand_still_in_a_replay() {
        let replay = Replay { at: Timestamp::from_millis(1_700_000_000_123), seed: [0; 32] };
        assert_eq!(Wall::new(Some(&replay)).now(), Duration::from_millis(1_700_000_000_123));
        let monotonic = Monotonic::new(Some(&replay));
        std::thread::sleep(Duration::from_millis(3));
        assert_eq!(monotonic.now(), 0);
    }
}

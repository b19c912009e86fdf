//! Clocks that tell whole milliseconds, so that they measure nothing finer; as fine as the host's, where that was granted; or
//! standing still, in a replay.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use skillhall_core::capability::clocks::Ask as Resolution;
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

use super::Replay;

/// The time of day.
pub(super) struct Wall {
    fixed: Option<Duration>,
    resolution: Resolution,
}

/// The smallest step of a clock.
fn tick(resolution: Resolution) -> Duration {
    match resolution {
        Resolution::Coarse => Duration::from_millis(1),
        Resolution::Precise => Duration::from_nanos(1),
    }
}

impl Wall {
    pub(super) fn new(replay: Option<&Replay>, resolution: Resolution) -> Self {
        let fixed = replay.map(|replay| Duration::from_millis(u64::try_from(replay.at.millis()).unwrap_or(0)));
        Self { fixed, resolution }
    }
}

impl HostWallClock for Wall {
    fn resolution(&self) -> Duration {
        tick(self.resolution)
    }

    fn now(&self) -> Duration {
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.fixed.unwrap_or_else(|| shown(now(), self.resolution))
    }
}

/// Time since the call began.
pub(super) struct Monotonic {
    start: Option<Instant>,
    resolution: Resolution,
}

impl Monotonic {
    pub(super) fn new(replay: Option<&Replay>, resolution: Resolution) -> Self {
        Self { start: replay.is_none().then(Instant::now), resolution }
    }
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        nanoseconds(tick(self.resolution))
    }

    fn now(&self) -> u64 {
        let elapsed = self.start.map(|start| shown(start.elapsed(), self.resolution));
        nanoseconds(elapsed.unwrap_or_default())
    }
}

fn shown(time: Duration, resolution: Resolution) -> Duration {
    match resolution {
        Resolution::Coarse => Duration::from_millis(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
        Resolution::Precise => time,
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use skillhall_core::clock::Timestamp;

    use super::*;

    #[test]
    fn clocks_tell_whole_milliseconds_only() {
        let (wall, monotonic) = (Wall::new(None, Resolution::Coarse), Monotonic::new(None, Resolution::Coarse));
        for _ in 0..2000 {
            assert_eq!(wall.now().subsec_nanos() % 1_000_000, 0);
            assert_eq!(monotonic.now() % 1_000_000, 0);
        }
        assert_eq!((wall.resolution(), monotonic.resolution()), (Duration::from_millis(1), 1_000_000));
    }

    #[test]
    fn granted_clocks_are_finer() {
        let (wall, monotonic) = (Wall::new(None, Resolution::Precise), Monotonic::new(None, Resolution::Precise));
        assert!((0..2000).any(|_| wall.now().subsec_nanos() % 1_000_000 != 0));
        assert!((0..2000).any(|_| monotonic.now() % 1_000_000 != 0));
        assert_eq!((wall.resolution(), monotonic.resolution()), (Duration::from_nanos(1), 1));
    }

    #[test]
    fn clocks_stand_still_in_a_replay() {
        let replay = Replay { at: Timestamp::from_millis(1_700_000_000_123), seed: [0; 32] };
        for resolution in [Resolution::Coarse, Resolution::Precise] {
            assert_eq!(Wall::new(Some(&replay), resolution).now(), Duration::from_millis(1_700_000_000_123));
            let monotonic = Monotonic::new(Some(&replay), resolution);
            std::thread::sleep(Duration::from_millis(3));
            assert_eq!(monotonic.now(), 0);
        }
    }
}

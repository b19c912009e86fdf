//! Time, reached in this one file. Gates get a [`Timestamp`] as an argument.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::denial::{Code, Denial};

/// A moment in UTC, in whole milliseconds since 1970-01-01T00:00:00Z.
///
/// Written as RFC 3339 with the `Z` suffix; the fraction is left out when it is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text is no RFC 3339 moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no RFC 3339 time such as 2026-01-02T03:04:05Z")]
pub struct TimestampError(String);

impl Timestamp {
    /// From milliseconds since the epoch. Years outside -9999 to 9999 are clamped.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        let (low, high) = (jiff::Timestamp::MIN.as_millisecond(), jiff::Timestamp::MAX.as_millisecond());
        Self(millis.clamp(low, high))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339, as `2026-01-02T03:04:05Z` or with a fraction or an offset.
    ///
    /// # Errors
    /// If the text is no such moment.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimestampError(text.chars().take(64).collect()))?;
        Ok(Self(parsed.as_millisecond()))
    }

    /// This moment with the fraction of a second cut off: the form that WCP writes.
    #[must_use]
    pub fn whole_seconds(self) -> Self {
        Self(self.0.div_euclid(1000) * 1000)
    }

    /// The moment that is `millis` later (or earlier, if negative), saturating.
    #[must_use]
    pub fn plus_millis(self, millis: i64) -> Self {
        Self::from_millis(self.0.saturating_add(millis))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(f, "{moment}"),
            Err(_) => f.write_str("1970-01-01T00:00:00Z"),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A clock does not know the time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time is not known: {0}")]
pub struct ClockError(String);

impl ClockError {
    /// The reason, for people.
    #[must_use]
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }

    /// The denial of whatever has to be judged at a moment, and has none.
    #[must_use]
    pub fn denial(&self) -> Denial {
        Denial::new(Code::TimeUnknown, self.to_string())
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time now.
    ///
    /// # Errors
    /// If the clock does not know it. Nothing is valid then: what asks for the time is denied with `DENY_TIME_UNKNOWN`.
    fn now(&self) -> Result<Timestamp, ClockError>;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl SystemClock {
    /// The time now. This clock always has one.
    #[must_use]
    pub fn now(self) -> Timestamp {
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let now = jiff::Timestamp::now();
        Timestamp::from_millis(now.as_millisecond())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Ok(Self::now(*self))
    }
}

/// A clock that stands still, for tests and replays.
#[derive(Clone, Copy, Debug)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Ok(self.0)
    }
}

/// The clock of a host that was given none: it never knows the time.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Result<Timestamp, ClockError> {
        Err(ClockError::new("this host was given no clock"))
    }
}

//! What one guest does on the network: counted against its budget, and kept for receipt and record.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::refusal::shown;
use super::{Refusal, Stop};

/// How much one guest may do on the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// Requests, those that are refused too.
    pub requests: u64,
    /// Bytes in both directions together, as they are on the connection (inside TLS, where there is any).
    pub bytes: u64,
    /// How long one request may take, its bodies included.
    pub time: Duration,
}

/// Requests to one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requested {
    /// Scheme, host and port, as the guest spelled them; shortened and inert.
    pub origin: String,
    /// How many requests.
    pub requests: u64,
    /// How many of them were refused.
    pub refused: u64,
}

/// The most entries of what is kept. Counting goes on beyond.
pub(crate) const KEPT: usize = 16;

/// The account of one call.
#[derive(Debug)]
pub struct Traffic {
    allowed: Allowance,
    requests: AtomicU64,
    bytes: AtomicU64,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    origins: Vec<Requested>,
    refusals: Vec<Refusal>,
}

impl Traffic {
    /// An account with nothing on it.
    #[must_use]
    pub fn new(allowed: Allowance) -> Self {
        Self { allowed, requests: AtomicU64::new(0), bytes: AtomicU64::new(0), kept: Mutex::default() }
    }

    /// What is allowed in all.
    #[must_use]
    pub fn allowed(&self) -> Allowance {
        self.allowed
    }

    /// How many requests there were.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// How many bytes went over connections, both ways.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Counts a request before anything is done about it.
    ///
    /// # Errors
    /// If it is one too many. The guest is then stopped as soon as it runs again.
    pub fn request(&self, origin: &str) -> Result<(), Stop> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.lock().count(origin, |requested| requested.requests += 1);
        self.check()
    }

    /// Keeps a refusal.
    pub fn refused(&self, origin: &str, refusal: Refusal) {
        let mut kept = self.lock();
        kept.count(origin, |requested| requested.refused += 1);
        if kept.refusals.len() < KEPT {
            kept.refusals.push(refusal);
        }
    }

    /// Counts bytes that went over a connection.
    ///
    /// # Errors
    /// If they are more than is allowed. The guest is then stopped as soon as it runs again.
    pub fn moved(&self, bytes: usize) -> Result<(), Stop> {
        self.bytes.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.check()
    }

    /// Counts what somebody did on this account who had one of its own, cut from it.
    pub fn spend(&self, requests: u64, bytes: u64) {
        self.requests.fetch_add(requests, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Whether the budget holds.
    ///
    /// # Errors
    /// The budget that does not.
    pub fn check(&self) -> Result<(), Stop> {
        if self.requests() > self.allowed.requests {
            return Err(Stop::HttpRequests { allowed: self.allowed.requests });
        }
        if self.bytes() > self.allowed.bytes {
            return Err(Stop::HttpBytes { allowed: self.allowed.bytes });
        }
        Ok(())
    }

    /// What was asked of which origin.
    #[must_use]
    pub fn origins(&self) -> Vec<Requested> {
        self.lock().origins.clone()
    }

    /// What was refused: the first of it, if it was much.
    #[must_use]
    pub fn refusals(&self) -> Vec<Refusal> {
        self.lock().refusals.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn count(&mut self, origin: &str, add: impl FnOnce(&mut Requested)) {
        let origin = shown(origin);
        if let Some(requested) = self.origins.iter_mut().find(|requested| requested.origin == origin) {
            add(requested);
        } else if self.origins.len() < KEPT {
            let mut requested = Requested { origin, requests: 0, refused: 0 };
            add(&mut requested);
            self.origins.push(requested);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::refusal::Reason;

    fn traffic(requests: u64, bytes: u64) -> Traffic {
        Traffic::new(Allowance { requests, bytes, time: Duration::from_secs(1) })
    }

    #[test]
    fn one_too_many_is_told_and_stays_told() {
        let traffic = traffic(2, 10);
        assert_eq!((traffic.request("a"), traffic.request("b")), (Ok(()), Ok(())));
        assert_eq!(traffic.moved(10), Ok(()));
        assert_eq!(traffic.request("a"), Err(Stop::HttpRequests { allowed: 2 }));
        assert_eq!(traffic.check(), Err(Stop::HttpRequests { allowed: 2 }));
        assert_eq!((traffic.requests(), traffic.bytes()), (3, 10));
    }

    #[test]
    fn bytes_are_counted_over_all_connections() {
        let traffic = traffic(2, 10);
        assert_eq!((traffic.moved(4), traffic.moved(6)), (Ok(()), Ok(())));
        assert_eq!(traffic.moved(1), Err(Stop::HttpBytes { allowed: 10 }));
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let traffic = traffic(100, 1);
        for number in 0..40 {
            let origin = format!("https://{number}.example");
            let _ = traffic.request(&origin);
            traffic.refused(&origin, Refusal::new("http", Reason::Origin, &origin, "", ""));
        }
        assert_eq!((traffic.origins().len(), traffic.refusals().len(), traffic.requests()), (KEPT, KEPT, 40));
        assert_eq!(traffic.origins()[3], Requested { origin: "https://3.example".into(), requests: 1, refused: 1 });
    }
}

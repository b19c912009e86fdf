//! How often may somebody come? So many at once, and so many a second from then on.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// From how many on those are forgotten who have been away for long enough to have everything again.
const MANY: usize = 256;

/// How often each of several comes. Of each it is kept until when what they took is used up.
pub(crate) struct Rates {
    at_once: u32,
    each: Duration,
    spent: Mutex<HashMap<String, Instant>>,
}

impl Rates {
    /// `at_once` requests, and another whenever `each` is over.
    pub(crate) fn new(at_once: u32, each: Duration) -> Self {
        Self { at_once, each, spent: Mutex::default() }
    }

    /// Takes one for `who`.
    ///
    /// # Errors
    /// How long it takes until there is another.
    pub(crate) fn take(&self, who: &str, now: Instant) -> Result<(), Duration> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        if spent.len() >= MANY {
            spent.retain(|_, until| *until > now);
        }
        let until = spent.get(who).copied().unwrap_or(now).max(now) + self.each;
        match until.duration_since(now).checked_sub(self.each * self.at_once) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                spent.insert(who.to_owned(), until);
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_so_many_at_once_and_then_one_whenever_the_time_is_over() {
        let rates = Rates::new(3, Duration::from_secs(2));
        let now = Instant::now();
        for _ in 0..3 {
            assert_eq!(rates.take("one", now), Ok(()));
        }
        assert_eq!(rates.take("one", now), Err(Duration::from_secs(2)));
        assert_eq!(rates.take("other", now), Ok(()));
        let later = now + Duration::from_secs(2);
        assert_eq!(rates.take("one", later), Ok(()));
        assert_eq!(rates.take("one", later), Err(Duration::from_secs(2)));
        let much_later = now + Duration::from_secs(3600);
        assert_eq!((0..9).filter(|_| rates.take("one", much_later).is_ok()).count(), 3, "what is not used is not saved up");
    }

    #[test]
    fn those_who_are_away_are_forgotten() {
        let rates = Rates::new(1, Duration::from_secs(1));
        let now = Instant::now();
        for number in 0..MANY {
            assert_eq!(rates.take(&number.to_string(), now), Ok(()));
        }
        assert_eq!(rates.take("another", now + Duration::from_secs(2)), Ok(()));
        assert_eq!(rates.spent.lock().unwrap().len(), 1);
    }
}

//! How much of something may one caller have, while others want some of it, too?

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// From how many on those are forgotten who hold nothing.
const MANY: usize = 256;

/// So much of something for all callers, and of that so much for each: what one holds or waits for takes nothing from another's share
/// until all of it is gone.
pub(crate) struct Shares {
    all: Arc<Semaphore>,
    each: usize,
    callers: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// What somebody holds, until it is dropped.
pub(crate) struct Share {
    // Given back in this order, so that whoever waits for their own share next finds room in the whole.
    _all: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// The caller holds their share already.
    Own,
    /// All callers together hold all of it.
    All,
}

impl Shares {
    pub(crate) fn new(all: usize, each: usize) -> Self {
        Self { all: Arc::new(Semaphore::new(all)), each: each.min(all), callers: Mutex::default() }
    }

    /// Takes some at once, or none.
    pub(crate) fn take(&self, who: &str, count: u32) -> Result<Share, Gone> {
        let own = self.of(who).try_acquire_many_owned(count).map_err(|_| Gone::Own)?;
        let all = self.all.clone().try_acquire_many_owned(count).map_err(|_| Gone::All)?;
        Ok(Share { _all: all, _own: own })
    }

    /// Takes one, and waits for it: first for the caller's own, so that it stands among others for no more than its share.
    pub(crate) async fn wait(&self, who: &str) -> Result<Share, Gone> {
        let own = self.of(who).acquire_owned().await.map_err(|_| Gone::Own)?;
        let all = self.all.clone().acquire_owned().await.map_err(|_| Gone::All)?;
        Ok(Share { _all: all, _own: own })
    }

    fn of(&self, who: &str) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        if callers.len() >= MANY {
            callers.retain(|_, share| share.strong_count() > 0);
        }
        if let Some(share) = callers.get(who).and_then(Weak::upgrade) {
            return share;
        }
        let share = Arc::new(Semaphore::new(self.each));
        callers.insert(who.to_owned(), Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_no_more_than_a_share_and_all_no_more_than_there_is() {
        let shares = Shares::new(5, 2);
        let first = shares.take("one", 2).unwrap();
        assert_eq!(shares.take("one", 1).err(), Some(Gone::Own));
        let others = ["two", "three"].map(|who| shares.take(who, u32::from(who == "two") + 1).unwrap());
        assert_eq!(shares.take("four", 1).err(), Some(Gone::All));
        drop(first);
        assert!(shares.take("four", 2).is_ok());
        assert!(shares.take("one", 1).is_ok(), "what was given back is there again");
        drop(others);
        assert_eq!(shares.take("one", 3).err(), Some(Gone::Own), "nobody ever has more than a share");
    }

    #[tokio::test]
    async fn whoever_waits_for_their_own_share_stands_in_nobodys_way() {
        let shares = Arc::new(Shares::new(2, 1));
        let held = shares.wait("one").await.unwrap();
        let second = tokio::spawn({
            let shares = shares.clone();
            async move { shares.wait("one").await.is_ok() }
        });
        tokio::task::yield_now().await;
        drop(shares.wait("two").await.unwrap());
        assert!(!second.is_finished());
        drop(held);
        assert!(second.await.unwrap());
    }

    #[test]
    fn those_who_hold_nothing_are_forgotten() {
        let shares = Shares::new(2, 1);
        let held = shares.take("kept", 1).unwrap();
        for number in 1..MANY {
            drop(shares.take(&number.to_string(), 1));
        }
        drop(shares.take("another", 1));
        assert_eq!(shares.callers.lock().unwrap().len(), 2);
        assert_eq!(shares.take("kept", 1).err(), Some(Gone::Own));
        drop(held);
    }
}

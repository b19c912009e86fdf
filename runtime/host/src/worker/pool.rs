//! The workers of a host: each runs the guests of one skill for one organisation, with the same folders, one call at a time. One
//! whose guest ended well is kept for the next call; any other is ended with its run.
//!
//! So many work at once as hall.toml says. A run that calls another waits for that one, so of both only one works: the called one
//! shares the other's place, and never waits for one that its own caller holds.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::os::fd::{AsFd as _, OwnedFd};
use std::pin::Pin;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::fstat;
use skillhall_core::capability::files::Access;
use skillhall_core::digest::Digest;
use skillhall_core::failure::{Failure, FailureCode};
use skillhall_core::govern::isolation::Locks;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::attend::{Attended, attend, lost};
use super::child::{Child, Heard, again};
use super::compile::CompileLimits;
use super::process::myself;
use super::task::{Role, Task};
use super::wire::{BEGINNING, Begin, Said};
use crate::engine::{Apart, Elsewhere, Ended, KillHandle, Order, Tally, folders, never_began, stopped};
use crate::sandbox::Folder;

/// What a worker may take for itself, beside the memory of its guest and what goes in and out.
const OWN_MEMORY: u64 = 512 << 20;

/// How a host keeps its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolLimits {
    /// How many there are at once.
    pub(crate) workers: u16,
    /// For how long one that nobody needs is kept.
    pub(crate) idle: Duration,
}

/// The workers.
pub(crate) struct Workers {
    limits: PoolLimits,
    room: Arc<Semaphore>,
    /// The runs that are in workers, by the decisions about them.
    working: Arc<Mutex<BTreeMap<u64, String>>>,
    resting: Mutex<Vec<Ready>>,
    runs: AtomicU64,
    /// Starts a program as a worker: this one, but in tests.
    start: Start,
}

type Start = Box<dyn Fn(&Task) -> Result<Command, String> + Send + Sync>;

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Workers").field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// A worker that has begun.
#[derive(Debug)]
struct Ready {
    child: Child,
    key: Key,
    locks: Locks,
}

/// What a worker is for. It is never used for anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    owner: String,
    digest: Digest,
    fuel: bool,
    memory_bytes: u64,
    /// Mount, rights, device and inode of each folder: of the very folder, whatever stands at its path by now.
    folders: Vec<(String, Access, u64, u64)>,
}

/// A worker for one run, which goes back or is ended.
struct Lent {
    ready: Ready,
    place: Place,
}

/// A run's place among those that are in workers. It gives it up when this is dropped.
struct Place {
    number: u64,
    working: Arc<Mutex<BTreeMap<u64, String>>>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Drop for Place {
    fn drop(&mut self) {
        locked(&self.working).remove(&self.number);
    }
}

impl Workers {
    pub(crate) fn new(limits: PoolLimits) -> Self {
        Self::starting(limits, |task| myself(task).map_err(|fault| format!("{fault}; {}", fault.hint())))
    }

    pub(super) fn starting(limits: PoolLimits, start: impl Fn(&Task) -> Result<Command, String> + Send + Sync + 'static) -> Self {
        let room = Arc::new(Semaphore::new(limits.workers.into()));
        Self { limits, room, working: Arc::default(), resting: Mutex::default(), runs: AtomicU64::new(1), start: Box::new(start) }
    }

    /// Ends those that rest.
    pub(crate) fn end(&self) {
        let resting = std::mem::take(&mut *self.resting());
        drop(resting);
    }

    /// The processes of those that rest.
    #[cfg(test)]
    pub(super) fn pids(&self) -> Vec<u32> {
        self.resting().iter().filter(|ready| ready.child.is_there()).filter_map(|ready| ready.child.pid()).collect()
    }

    async fn run_apart(&self, order: Order, apart: Apart, kill: &KillHandle, tally: &Tally) -> Ended {
        let never = |failure: Failure| (never_began(&order.limits, failure), None);
        if let Some(reason) = kill.reason() {
            return never(stopped(&reason.stop()));
        }
        let folders = match granted(&order) {
            Ok(folders) => folders,
            Err(failure) => return never(failure),
        };
        let lent = tokio::select! {
            biased;
            reason = kill.killed() => Err(stopped(&reason.stop())),
            lent = self.lend(&order, &apart, folders) => lent,
        };
        let mut lent = match lent {
            Ok(lent) => lent,
            Err(failure) => return never(failure),
        };
        let (number, locks) = (lent.place.number, lent.ready.locks);
        // Dropped in here, it is ended.
        let Attended { outcome, is_sound } = attend(&mut lent.ready.child, number, &order, kill, tally).await;
        if is_sound {
            self.give_back(lent);
        }
        (outcome, Some(locks))
    }

    /// One that rests and is for this very thing; else a new one.
    async fn lend(&self, order: &Order, apart: &Apart, folders: Vec<Folder>) -> Result<Lent, Failure> {
        let place = self.place(apart).await?;
        let key = key(order, apart, &folders).map_err(|error| lost(&format!("cannot be given its folders: {error}")))?;
        if let Some(ready) = self.wake(&key) {
            return Ok(Lent { ready, place });
        }
        let begun = tokio::time::timeout(BEGINNING, self.begin(order, &key, folders)).await;
        let ready = begun.unwrap_or_else(|_| Err(lost("did not begin in time")))?;
        if apart.landlock && ready.locks.landlock == 0 {
            return Err(lost("has no Landlock, which it must have for what it was granted"));
        }
        Ok(Lent { ready, place })
    }

    /// Waits for a place, if the run does not share that of a run that it came about by.
    async fn place(&self, apart: &Apart) -> Result<Place, Failure> {
        let shares = locked(&self.working).values().any(|decision| apart.above.contains(decision));
        let room = if shares {
            None
        } else {
            Some(Arc::clone(&self.room).acquire_owned().await.map_err(|_| lost("is not there any more"))?)
        };
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        locked(&self.working).insert(number, apart.decision.clone());
        Ok(Place { number, working: Arc::clone(&self.working), _room: room })
    }

    fn wake(&self, key: &Key) -> Option<Ready> {
        let mut resting = self.resting();
        resting.retain(|ready| ready.child.is_there());
        let at = resting.iter().position(|ready| ready.key == *key)?;
        let mut ready = resting.remove(at);
        drop(resting);
        ready.child.wakes().then_some(ready)
    }

    async fn begin(&self, order: &Order, key: &Key, folders: Vec<Folder>) -> Result<Ready, Failure> {
        let failed = |error: std::io::Error| lost(&format!("could not be started: {error}"));
        // There are as many as there may be, those that rest among them: the one that rests longest makes room.
        let (busy, most) = (locked(&self.working).len(), self.limits.workers);
        let rested: Vec<Ready> = {
            let mut resting = self.resting();
            let over = resting.len().saturating_add(busy).saturating_sub(most.into()).min(resting.len());
            resting.drain(..over).collect()
        };
        drop(rested);

        let role = Role::Guest { fuel: key.fuel };
        let limits = CompileLimits { time_ms: 0, memory_bytes: key.memory_bytes };
        let task = Task { role, parent: std::process::id(), limits };
        let command = (self.start)(&task).map_err(|why| lost(&format!("could not be started: {why}")))?;
        let mut files: Vec<OwnedFd> = vec![again(order.prepared.code()).map_err(failed)?];
        let mut mounts = Vec::with_capacity(folders.len());
        for Folder { mount, dir, access } in folders {
            mounts.push((mount, access));
            files.push(dir);
        }
        let begin = Begin { digest: *key.digest.as_bytes(), folders: mounts };
        let mut child = Child::start(command, begin, files).map_err(failed)?;
        match child.hear().await {
            Heard::Said(Said::Began { landlock, seccomp: true, no_new_privileges: true, compatibility })
                if compatibility == *order.prepared.compatibility().as_bytes() =>
            {
                Ok(Ready { child, key: key.clone(), locks: Locks { landlock } })
            }
            Heard::Said(Said::Began { .. }) => Err(lost("is not what was started")),
            Heard::Said(Said::NotBegun(why)) => Err(lost(&format!("could not begin: {}", crate::sandbox::inert(why.as_bytes())))),
            Heard::Said(_) => Err(lost("said what has no place there")),
            Heard::Gone(how) => Err(lost(&how)),
        }
    }

    fn give_back(&self, lent: Lent) {
        let Lent { ready, place } = lent;
        ready.child.rests(self.limits.idle);
        self.resting().push(ready);
        drop(place);
    }

    fn resting(&self) -> MutexGuard<'_, Vec<Ready>> {
        locked(&self.resting)
    }
}

/// What stands behind these locks is whole between any two statements.
fn locked<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folders that were granted and are given to guests.
fn granted(order: &Order) -> Result<Vec<Folder>, Failure> {
    let refused = |denial: skillhall_core::denial::Denial| Failure::new(FailureCode::Grant, denial.message);
    folders(order).map_err(refused)
}

fn key(order: &Order, apart: &Apart, folders: &[Folder]) -> std::io::Result<Key> {
    let limits = &order.limits;
    let folder = |folder: &Folder| -> std::io::Result<_> {
        let found = fstat(folder.dir.as_fd())?;
        Ok((folder.mount.clone(), folder.access, found.st_dev, found.st_ino))
    };
    let goes_through = limits.input_bytes.saturating_add(limits.output_bytes).saturating_mul(16);
    Ok(Key {
        owner: apart.owner.clone(),
        digest: order.prepared.digest(),
        fuel: order.prepared.counts_fuel(),
        memory_bytes: OWN_MEMORY.saturating_add(limits.memory_bytes).saturating_add(goes_through),
        folders: folders.iter().map(folder).collect::<std::io::Result<_>>()?,
    })
}

impl Elsewhere for Workers {
    fn run<'a>(
        &'a self,
        order: Order,
        apart: Apart,
        kill: &'a KillHandle,
        tally: &'a Tally,
    ) -> Pin<Box<dyn Future<Output = Ended> + Send + 'a>> {
        Box::pin(self.run_apart(order, apart, kill, tally))
    }
}

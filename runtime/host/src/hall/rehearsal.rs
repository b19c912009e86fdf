//! A rehearsal: calls of a skill that is being tested, through every gate of a throwaway hall, under circumstances that are
//! fixed, so that the same call gives the same result.
//!
//! Time, seed and recorded replies are the rehearsal's alone. It makes its hall itself and hands it out for looking at; no hall
//! that was opened in another way has a place for them, and neither has hall.toml, a call or a grant.

use std::collections::BTreeSet;
use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use skillhall_core::capability::Policy;
use skillhall_core::clock::Timestamp;
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::Call;
use skillhall_core::id::SkillId;
use skillhall_core::random;
use skillhall_core::registry::memory::MemoryRegistry;
use skillhall_core::stores::Stores;
use skillhall_core::stores::memory::MemoryStores;

use super::config::{Compile, Config, Part, Parts};
use super::folder::Folder;
use super::{Fault, FixedRun, Hall, Observer, Receipt, Refused, Run, throwaway};
use crate::engine::KillHandle;
#[cfg(feature = "http")]
use crate::sandbox::egress::{Network, Recording, Reply};
use crate::sandbox::rehearsal::{Rehearsing, Witness};
use crate::sandbox::{LocalPowers, Powers, Touched};

/// What a guest meets that is neither its bytes nor its input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// What its wall clock says; it stands still, and so does the clock that measures, at zero.
    pub at: Timestamp,
    /// What all its random bytes are made from.
    pub seed: u64,
    /// What its requests are answered with, once they were let through. One that has no reply is refused.
    #[cfg(feature = "http")]
    pub replies: Vec<Reply>,
}

/// How a call went.
#[derive(Debug)]
pub struct Rehearsed {
    /// The receipt, as of any call.
    pub receipt: Receipt,
    /// What the skill used of what it was granted. What merely stands there (a variable, the fineness of a clock) is not seen.
    pub used: BTreeSet<Touched>,
    /// Recorded replies, by method and URL, that were not all asked for.
    pub unasked: Vec<String>,
}

/// A throwaway hall in which calls are made under fixed circumstances. It compiles in workers, so the program's `main` has to
/// call [`enter`](crate::worker::enter()).
pub struct Rehearsal {
    hall: Hall,
    registry: Arc<MemoryRegistry>,
}

impl Rehearsal {
    /// Makes the hall, with these namespaces as its own. Everything of it is gone when this is dropped.
    ///
    /// # Errors
    /// As [`Hall::in_memory`].
    pub fn open<N: Into<String>>(namespaces: impl IntoIterator<Item = N>) -> Result<Self, Fault> {
        Self::with(namespaces, parts())
    }

    /// As [`open`](Self::open), beside a hall of this process: what that one has compiled and still has in memory is not compiled again, nor the other
    /// way round. They share code alone, by the digest of the component; no decision, no key and no folder.
    ///
    /// # Errors
    /// As [`Hall::in_memory`].
    pub fn beside<N: Into<String>>(hall: &Hall, namespaces: impl IntoIterator<Item = N>) -> Result<Self, Fault> {
        let mut parts = parts();
        parts.code = Some(hall.engines.memory());
        Self::with(namespaces, parts)
    }

    fn with<N: Into<String>>(namespaces: impl IntoIterator<Item = N>, parts: Parts) -> Result<Self, Fault> {
        let namespaces: Vec<String> = namespaces.into_iter().map(Into::into).collect();
        let (hall, registry) = throwaway::open(&namespaces, parts)?;
        Ok(Self { hall, registry })
    }

    /// The hall, to bring a package into it.
    #[must_use]
    pub fn hall(&self) -> &Hall {
        &self.hall
    }

    /// A new private folder that goes with the hall: for files that a call is given.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn scratch(&self) -> Result<PathBuf, Fault> {
        let fault = |error: &std::io::Error| Fault::io("a private folder that is thrown away", error);
        let parent = self.hall.throwaway.as_ref().map(|throwaway| throwaway.path().to_owned());
        let parent = parent.ok_or_else(|| fault(&std::io::ErrorKind::NotFound.into()))?;
        // Nothing that is granted may be reached over a link.
        let path = parent.canonicalize().map_err(|error| fault(&error))?.join(format!("scratch-{}", random::uuid()?));
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| fault(&error))?;
        Ok(path)
    }

    /// Takes a call through every gate and runs it, with exactly these grants, with stores that are empty, and under these
    /// circumstances; skills that it calls are under them, too.
    ///
    /// # Errors
    /// As [`Hall::grant`] and [`Hall::run`]; [`Fault::Configuration`] for a reply that is none. A denial of the call itself is no
    /// error: it stands in the receipt.
    pub async fn run(
        &mut self,
        policy: &Policy,
        circumstances: &Circumstances,
        call: Call,
        observer: &mut dyn Observer,
    ) -> Result<Rehearsed, Refused> {
        let skill = call.skill.id.clone();
        self.grant(&skill, policy)?;
        let witness = Arc::<Witness>::default();
        #[cfg(feature = "http")]
        let recording = Arc::new(Recording::new(&circumstances.replies).map_err(|bad| Fault::Configuration(bad.to_string()))?);
        #[cfg(feature = "http")]
        let local = local(Arc::clone(&recording));
        #[cfg(not(feature = "http"))]
        let local = LocalPowers::default();
        let stores: Arc<dyn Stores> = Arc::new(MemoryStores::new());
        self.hall.powers = Rehearsing::new(local, Arc::clone(&witness)).with_stores(&stores);
        self.hall.stores = stores;
        self.hall.fixed = Some(FixedRun { at: circumstances.at, seed: seed(circumstances.seed) });
        let caller = self.hall.caller()?;
        let receipt = self.hall.run(Run { call, caller, kill: KillHandle::new(), observer }).await?;
        #[cfg(feature = "http")]
        let unasked = recording.unused();
        #[cfg(not(feature = "http"))]
        let unasked = Vec::new();
        Ok(Rehearsed { receipt, used: witness.of(&skill), unasked })
    }

    /// Puts the grants in force as `hall grant` does, and opens the hall anew with them.
    fn grant(&mut self, skill: &SkillId, policy: &Policy) -> Result<(), Refused> {
        if self.hall.grant(skill, |_| policy.clone())?.record.is_none() {
            return Ok(());
        }
        let mut parts = parts();
        parts.registry = Part::Own(self.registry.clone());
        let mut hall = Hall::in_folder(Folder::open(self.hall.folder.path())?, parts)?;
        hall.throwaway = self.hall.throwaway.take();
        self.hall = hall;
        Ok(())
    }
}

/// The parts of a throwaway hall; but what is tested may be a stranger's, so it is compiled where it can do no harm.
fn parts() -> Parts {
    let mut parts = Config::in_memory(Vec::<String>::new()).adapter("command").parts;
    parts.compile = Compile::InWorkers;
    // Replaced for each call. Until then there are some, so that grants are not taken for ones that cannot be met.
    #[cfg(feature = "http")]
    let powers = Rehearsing::new(local(Arc::new(Recording::nothing())), Arc::default());
    #[cfg(not(feature = "http"))]
    let powers = Rehearsing::new(LocalPowers::default(), Arc::default());
    parts.powers = Some(Arc::new(powers));
    parts
}

/// The machine's folders, and the recording in the place of its network.
#[cfg(feature = "http")]
fn local(recording: Arc<Recording>) -> LocalPowers {
    LocalPowers::with_network(Network::recorded(recording))
}

fn seed(number: u64) -> [u8; 32] {
    *Digest::of(&[b"skillhall rehearsal ".as_slice(), &number.to_be_bytes()].concat()).as_bytes()
}

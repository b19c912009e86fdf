//! From verified bytes to something that can be run.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use skillhall_core::digest::Digest;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use super::EngineFault;
use super::cache::{Cache, Rejection};
use super::engines::Powered;
use crate::sandbox::{Guest, SandboxLinks, link};

/// Components above this size are refused before they are parsed.
pub const MAX_COMPONENT_BYTES: u64 = 64 << 20;

/// How many prepared components are kept in memory.
const KEPT: usize = 64;

/// What happens while a component is prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrepareEvent {
    /// It is being compiled, which can take seconds.
    Compiling,
    /// It was compiled.
    Compiled(Duration),
    /// It was loaded from the cache.
    Loaded(Duration),
    /// A cached file was refused, and the component is compiled instead. The caller records it.
    CacheRejected(Rejection),
    /// The compiled code could not be kept; it will be compiled again next time.
    NotKept(String),
}

/// The component cannot be run by this engine at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrepareError {
    /// The bytes are not those that were named.
    #[error("the component's SHA-256 is {found}, not {expected}")]
    DigestMismatch {
        /// The digest that was named.
        expected: Digest,
        /// The digest of the bytes.
        found: Digest,
    },
    /// It is larger than [`MAX_COMPONENT_BYTES`].
    #[error("the component has {0} bytes; at most {MAX_COMPONENT_BYTES} are compiled")]
    TooLarge(u64),
    /// It is no component, or uses what this engine does not offer.
    #[error("the engine does not accept the component: {0}")]
    Refused(String),
    /// The host's own trouble.
    #[error(transparent)]
    Fault(#[from] EngineFault),
}

/// A component whose code is ready. Linked once for each set of links.
pub struct Prepared {
    pub(super) powered: Arc<Powered>,
    digest: Digest,
    fuel: bool,
    component: Component,
    linked: Mutex<BTreeMap<SandboxLinks, InstancePre<Guest>>>,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("digest", &self.digest).field("fuel", &self.fuel).finish_non_exhaustive()
    }
}

impl Prepared {
    /// The component's SHA-256.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Whether its code counts fuel.
    #[must_use]
    pub fn counts_fuel(&self) -> bool {
        self.fuel
    }

    pub(super) fn linked(&self, links: SandboxLinks) -> wasmtime::Result<InstancePre<Guest>> {
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = linked.get(&links) {
            return Ok(ready.clone());
        }
        let ready = link(&self.powered.engine, &self.component, links)?;
        linked.insert(links, ready.clone());
        Ok(ready)
    }

    /// Finds `interface#function`, or a bare function.
    pub(super) fn export(&self, name: &str) -> Option<ComponentExportIndex> {
        match name.rsplit_once('#') {
            Some((interface, function)) => {
                let interface = self.component.get_export_index(None, interface)?;
                self.component.get_export_index(Some(&interface), function)
            }
            None => self.component.get_export_index(None, name),
        }
    }
}

pub(super) fn prepare(
    powered: Arc<Powered>,
    cache: Option<&Cache>,
    bytes: &[u8],
    digest: Digest,
    on_event: &mut dyn FnMut(PrepareEvent),
) -> Result<Prepared, PrepareError> {
    let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if size > MAX_COMPONENT_BYTES {
        return Err(PrepareError::TooLarge(size));
    }
    let found = Digest::of(bytes);
    if found != digest {
        return Err(PrepareError::DigestMismatch { expected: digest, found });
    }
    let component = match cached(&powered, cache, digest, on_event) {
        Some(component) => component,
        None => compile(&powered, cache, bytes, digest, on_event)?,
    };
    let fuel = powered.engine.get_consume_fuel();
    Ok(Prepared { powered, digest, fuel, component, linked: Mutex::new(BTreeMap::new()) })
}

fn cached(powered: &Powered, cache: Option<&Cache>, digest: Digest, on_event: &mut dyn FnMut(PrepareEvent)) -> Option<Component> {
    let start = Instant::now();
    match cache?.load(&powered.engine, powered.compatibility, digest) {
        Ok(Some(component)) => {
            on_event(PrepareEvent::Loaded(start.elapsed()));
            Some(component)
        }
        Ok(None) => None,
        Err(rejection) => {
            on_event(PrepareEvent::CacheRejected(rejection));
            None
        }
    }
}

fn compile(
    powered: &Powered,
    cache: Option<&Cache>,
    bytes: &[u8],
    digest: Digest,
    on_event: &mut dyn FnMut(PrepareEvent),
) -> Result<Component, PrepareError> {
    on_event(PrepareEvent::Compiling);
    let start = Instant::now();
    let component =
        Component::from_binary(&powered.engine, bytes).map_err(|error| PrepareError::Refused(format!("{error:#}")))?;
    on_event(PrepareEvent::Compiled(start.elapsed()));
    if let Some(cache) = cache {
        let kept = component
            .serialize()
            .map_err(|error| format!("{error:#}"))
            .and_then(|code| cache.keep(powered.compatibility, digest, &code).map_err(|error| error.to_string()));
        if let Err(why) = kept {
            on_event(PrepareEvent::NotKept(why));
        }
    }
    Ok(component)
}

/// Prepared components by digest; the ones that came first go first. Code only: no decision is ever kept here.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Slots>);

type Slot = Arc<Mutex<Option<Arc<Prepared>>>>;

#[derive(Debug, Default)]
struct Slots {
    by_key: BTreeMap<(Digest, bool), Slot>,
    order: VecDeque<(Digest, bool)>,
}

impl Memory {
    /// What `make` gives for this key, made once however many threads ask at once. A failure is not kept.
    pub(super) fn once(
        &self,
        digest: Digest,
        fuel: bool,
        make: impl FnOnce() -> Result<Prepared, PrepareError>,
    ) -> Result<Arc<Prepared>, PrepareError> {
        let slot = self.slot((digest, fuel));
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = slot.as_ref() {
            return Ok(Arc::clone(prepared));
        }
        let prepared = Arc::new(make()?);
        *slot = Some(Arc::clone(&prepared));
        Ok(prepared)
    }

    fn slot(&self, key: (Digest, bool)) -> Slot {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.by_key.get(&key) {
            return Arc::clone(slot);
        }
        if slots.order.len() >= KEPT
            && let Some(oldest) = slots.order.pop_front()
        {
            slots.by_key.remove(&oldest);
        }
        let slot = Slot::default();
        slots.order.push_back(key);
        slots.by_key.insert(key, Arc::clone(&slot));
        slot
    }
}

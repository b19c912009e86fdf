//! From verified bytes to something that can be run.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use skillhall_core::digest::Digest;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};
use wasmtime::{Engine, ResourcesRequired};

use super::EngineFault;
use super::cache::{Cache, Rejection};
use super::code::{self, Authenticated, Loaded};
use super::compile::{CompileJob, Compiler};
use super::engines::{Powered, power};
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
    /// The process that compiled was confined by less than there can be, as this machine's kernel lacks something.
    LessConfined(String),
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
    /// It cannot be compiled within the limits of time, memory and size of code.
    #[error("compiling it takes {0}")]
    Exceeded(String),
    /// The process that was to compile it ended without an answer that holds.
    #[error("the process that compiled it {0}")]
    NoAnswer(String),
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
    code: OwnedFd,
    /// Whether this process was handed the code by another one, which has the sockets.
    handed_over: bool,
    linked: Mutex<BTreeMap<SandboxLinks, InstancePre<Guest>>>,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("digest", &self.digest).field("fuel", &self.fuel).finish_non_exhaustive()
    }
}

impl Prepared {
    fn new(powered: Arc<Powered>, digest: Digest, fuel: bool, loaded: Loaded) -> Self {
        let Loaded { component, file } = loaded;
        Self { powered, digest, fuel, component, code: file, handed_over: false, linked: Mutex::new(BTreeMap::new()) }
    }

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

    /// The sealed file that its code was mapped from.
    pub(crate) fn code(&self) -> BorrowedFd<'_> {
        self.code.as_fd()
    }

    /// What an engine must share with the one that this was made for.
    pub(crate) fn compatibility(&self) -> Digest {
        self.powered.compatibility
    }

    pub(super) fn linked(&self, links: SandboxLinks) -> wasmtime::Result<InstancePre<Guest>> {
        let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ready) = linked.get(&links) {
            return Ok(ready.clone());
        }
        let ready = link(&self.powered.engine, &self.component, links, self.handed_over)?;
        linked.insert(links, ready.clone());
        Ok(ready)
    }

    /// The memories and tables that it takes, if that can be told before it is instantiated.
    pub(super) fn required(&self) -> Option<ResourcesRequired> {
        self.component.resources_required()
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

/// Code that the parent of this process handed over.
pub(crate) struct HandedOver {
    engine: Engine,
    compatibility: Digest,
    digest: Digest,
    loaded: Loaded,
}

impl HandedOver {
    /// Maps it. Starts no thread.
    ///
    /// # Errors
    /// If the file is not sealed, or the engine does not take what is in it.
    pub(crate) fn load(engine: Engine, compatibility: Digest, digest: Digest, file: OwnedFd) -> wasmtime::Result<Self> {
        let loaded = code::handed_over(&engine, file)?;
        Ok(Self { engine, compatibility, digest, loaded })
    }

    /// Ready to run, with the thread that looks at running guests.
    ///
    /// # Errors
    /// If that thread does not start.
    pub(crate) fn prepared(self) -> Result<Prepared, EngineFault> {
        let Self { engine, compatibility, digest, loaded } = self;
        let fuel = engine.get_consume_fuel();
        let prepared = Prepared::new(Arc::new(power(engine, compatibility)?), digest, fuel, loaded);
        Ok(Prepared { handed_over: true, ..prepared })
    }
}

pub(super) fn prepare(
    powered: Arc<Powered>,
    cache: Option<&Cache>,
    compiler: &dyn Compiler,
    bytes: &[u8],
    digest: Digest,
    wanted: &dyn Fn() -> bool,
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
    let fuel = powered.engine.get_consume_fuel();
    let loaded = if let Some(loaded) = cached(&powered, cache, digest, on_event) {
        loaded
    } else {
        let Powered { engine, compatibility, .. } = &*powered;
        let job = CompileJob { engine, compatibility: *compatibility, fuel, bytes, wanted };
        compile(&job, cache, compiler, digest, on_event)?
    };
    Ok(Prepared::new(powered, digest, fuel, loaded))
}

fn cached(powered: &Powered, cache: Option<&Cache>, digest: Digest, on_event: &mut dyn FnMut(PrepareEvent)) -> Option<Loaded> {
    let start = Instant::now();
    match cache?.load(&powered.engine, powered.compatibility, digest) {
        Ok(Some(loaded)) => {
            on_event(PrepareEvent::Loaded(start.elapsed()));
            Some(loaded)
        }
        Ok(None) => None,
        Err(rejection) => {
            on_event(PrepareEvent::CacheRejected(rejection));
            None
        }
    }
}

fn compile(
    job: &CompileJob<'_>,
    cache: Option<&Cache>,
    compiler: &dyn Compiler,
    digest: Digest,
    on_event: &mut dyn FnMut(PrepareEvent),
) -> Result<Loaded, PrepareError> {
    on_event(PrepareEvent::Compiling);
    let start = Instant::now();
    let code = compiler.compile(job, on_event)?;
    // Before it is kept: what this engine does not take is no code of its compiler.
    let loaded = code::load(job.engine, &Authenticated::fresh(&code)).map_err(|error| unloaded(&error))?;
    on_event(PrepareEvent::Compiled(start.elapsed()));
    if let Some(Err(error)) = cache.map(|cache| cache.keep(job.compatibility, digest, &code)) {
        on_event(PrepareEvent::NotKept(error.to_string()));
    }
    Ok(loaded)
}

/// Whether this host could not load code, or the code is none.
fn unloaded(error: &wasmtime::Error) -> PrepareError {
    match error.root_cause().downcast_ref::<io::Error>() {
        Some(error) => EngineFault::Load(error.to_string()).into(),
        None => PrepareError::NoAnswer(format!("gave what is no code of this engine: {error:#}")),
    }
}

/// Prepared components by digest; the ones that came first go first. Code only: no decision is ever kept here.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Slots>);

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

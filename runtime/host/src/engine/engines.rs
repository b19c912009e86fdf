//! The process's engines: at most two, with and without fuel, since that is a setting of the engine.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use skillhall_core::digest::Digest;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel, Strategy, WasmBacktraceDetails, WasmFeatures};

use super::backtrace::MAX_FRAMES;
use super::cache::{Cache, CacheConfig};
use super::compile::Compiler;
use super::elsewhere::Elsewhere;
use super::floor;
use super::limits::{STACK_BYTES, to_usize};
use super::prepare::{self, Memory, PrepareError, PrepareEvent, Prepared};
use super::ticker::Ticker;

/// Stack for a guest and the host functions it calls.
const ASYNC_STACK_BYTES: usize = 2 << 20;

/// How the engines are made.
#[derive(Debug, Default)]
pub(crate) struct EngineConfig {
    /// Where compiled code is kept, and the key that authenticates it. Without it, code is compiled once a process.
    pub(crate) cache: Option<CacheConfig>,
    /// Where guests run that are to be isolated. Without it, none of these runs.
    pub(crate) elsewhere: Option<Arc<dyn Elsewhere>>,
    /// Where prepared components are kept in memory: of these engines alone, or with others of this process.
    pub(crate) memory: Arc<Memory>,
}

/// The engine cannot start, or cannot do its own work: the host's trouble, never a guest's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineFault {
    /// The engine's version or this machine's architecture is below the floor.
    #[error("{0}")]
    BelowFloor(String),
    /// The engine does not take its configuration on this machine.
    #[error("the engine does not start: {0}")]
    Start(String),
    /// What nobody here has compiled before is compiled by a process of its own, and this program has no such process.
    #[error("this program may not be started anew to compile what nobody here has compiled before")]
    NoWorker,
    /// The process that compiles could not be started, or could not lock itself up.
    #[error("the process that compiles does not start: {0}")]
    Worker(String),
    /// Code that was compiled could not be brought into memory.
    #[error("compiled code cannot be loaded: {0}")]
    Load(String),
    /// Nobody waits for the code any more, or the program is being ended.
    #[error("compiling was stopped before it was done")]
    Stopped,
}

impl EngineFault {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::BelowFloor(_) | Self::Start(_) => "run it on a machine that docs/sandbox.md names, with a build of today",
            Self::NoWorker => {
                "call `skillhall::worker::enter()` first in `main`; for components that the program itself vouches for: `Config::compile_in_process()`"
            }
            Self::Worker(_) => {
                "see that /proc is there and the program's own file can be run, and that `skillhall::worker::enter()` stands first in `main`"
            }
            Self::Load(_) => "see that the machine has memory, and that this account's files may grow (`ulimit -f`)",
            Self::Stopped => "nothing is half done; do it again",
        }
    }
}

/// The engines of this process. Cheap to clone; clones are the same engines.
#[derive(Clone, Debug)]
pub struct Engines(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    plain: Mutex<Option<Arc<Powered>>>,
    fuelled: Mutex<Option<Arc<Powered>>>,
    cache: Option<Cache>,
    compiler: Arc<dyn Compiler>,
    elsewhere: Option<Arc<dyn Elsewhere>>,
    memory: Arc<Memory>,
    remark: Option<String>,
}

/// One engine with its ticker.
#[derive(Debug)]
pub(super) struct Powered {
    pub(super) engine: Engine,
    pub(super) ticker: Ticker,
    pub(super) compatibility: Digest,
}

impl Engines {
    /// Checks the floor and starts the engine without fuel; the other starts when it is first needed.
    ///
    /// # Errors
    /// If this build is below the floor, or the engine does not start on this machine.
    pub(crate) fn start(config: EngineConfig, compiler: Arc<dyn Compiler>) -> Result<Self, EngineFault> {
        let remark = floor::check()?;
        let engines = Self(Arc::new(Inner {
            plain: Mutex::new(None),
            fuelled: Mutex::new(None),
            cache: config.cache.map(Cache::new),
            compiler,
            elsewhere: config.elsewhere,
            memory: config.memory,
            remark,
        }));
        engines.powered(false)?;
        Ok(engines)
    }

    /// Where these engines keep what they have prepared, for others of this process.
    pub(crate) fn memory(&self) -> Arc<Memory> {
        Arc::clone(&self.0.memory)
    }

    /// Engines that compile in this process, as those of a throwaway hall do.
    #[cfg(test)]
    pub(crate) fn new(config: EngineConfig) -> Result<Self, EngineFault> {
        Self::start(config, Arc::new(super::compile::InThisProcess))
    }

    /// Where guests run that are to be isolated.
    pub(super) fn elsewhere(&self) -> Option<&Arc<dyn Elsewhere>> {
        self.0.elsewhere.as_ref()
    }

    /// What should be said about this machine, if anything: that its architecture is not of wasmtime's first tier.
    #[must_use]
    pub fn remark(&self) -> Option<&str> {
        self.0.remark.as_deref()
    }

    /// Compiled code for a component: from memory, from the authenticated cache, or compiled now (in the
    /// [`worker`](crate::worker) process, unless the hall was opened otherwise).
    ///
    /// This blocks (a large component compiles for seconds), and only one thread compiles the same component.
    /// `digest` is the SHA-256 of `component`; it is computed again before anything is compiled. `on_event` is told what happens, and in
    /// particular each cached file that was refused, which the caller records.
    ///
    /// # Errors
    /// If the bytes are not those of the digest, too large, no component that this engine accepts, or not to be compiled
    /// within the limits.
    pub fn prepare(
        &self,
        component: &Arc<[u8]>,
        digest: Digest,
        fuel: bool,
        on_event: &mut dyn FnMut(PrepareEvent),
    ) -> Result<Arc<Prepared>, PrepareError> {
        self.prepare_while(component, digest, fuel, &|| true, on_event)
    }

    /// As [`prepare`](Self::prepare), given up with [`EngineFault::Stopped`] soon after nobody wants it any more.
    pub(crate) fn prepare_while(
        &self,
        component: &Arc<[u8]>,
        digest: Digest,
        fuel: bool,
        wanted: &dyn Fn() -> bool,
        on_event: &mut dyn FnMut(PrepareEvent),
    ) -> Result<Arc<Prepared>, PrepareError> {
        let powered = self.powered(fuel)?;
        let make = || prepare::prepare(powered, self.0.cache.as_ref(), &*self.0.compiler, component, digest, wanted, on_event);
        self.0.memory.once(digest, fuel, make)
    }

    fn powered(&self, fuel: bool) -> Result<Arc<Powered>, EngineFault> {
        let slot = if fuel { &self.0.fuelled } else { &self.0.plain };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(powered) = slot.as_ref() {
            return Ok(Arc::clone(powered));
        }
        let powered = Arc::new(start(fuel)?);
        *slot = Some(Arc::clone(&powered));
        Ok(powered)
    }
}

fn start(fuel: bool) -> Result<Powered, EngineFault> {
    let (engine, compatibility) = bare(fuel)?;
    power(engine, compatibility)
}

/// An engine with its ticker.
pub(super) fn power(engine: Engine, compatibility: Digest) -> Result<Powered, EngineFault> {
    let ticker = Ticker::start(&engine).map_err(|error| EngineFault::Start(error.to_string()))?;
    Ok(Powered { engine, ticker, compatibility })
}

/// An engine without a ticker, and what others must share with it to exchange code: enough to compile with.
pub(crate) fn bare(fuel: bool) -> Result<(Engine, Digest), EngineFault> {
    let engine = Engine::new(&configuration(fuel)).map_err(|error| EngineFault::Start(format!("{error:#}")))?;
    let compatibility = super::cache::compatibility(&engine);
    Ok((engine, compatibility))
}

/// What the engine accepts: the component model and the WebAssembly that compilers emit today. Proposals that give a
/// guest threads, shared memory, 64-bit memories, garbage collection or new control flow stay off; some are not even built in.
fn configuration(fuel: bool) -> Config {
    let mut config = Config::new();
    config
        .strategy(Strategy::Cranelift)
        .cranelift_opt_level(OptLevel::Speed)
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .consume_fuel(fuel)
        .epoch_interruption(true)
        .max_wasm_stack(to_usize(STACK_BYTES))
        .async_stack_size(ASYNC_STACK_BYTES)
        .async_stack_zeroing(true)
        .concurrency_support(false)
        .memory_init_cow(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(MAX_FRAMES))
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_component_model(true)
        .wasm_memory64(false)
        .wasm_features(WasmFeatures::FUNCTION_REFERENCES, false)
        .wasm_wide_arithmetic(false)
        .wasm_custom_page_sizes(false)
        .wasm_shared_everything_threads(false)
        .wasm_stack_switching(false)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true)
        .shared_memory(false);
    config
}

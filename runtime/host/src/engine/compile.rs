//! Making native code of a component's bytes: here, or wherever a [`Compiler`] does it.

use std::fmt;

use skillhall_core::digest::Digest;
use wasmtime::Engine;

use super::prepare::{PrepareError, PrepareEvent};

/// The most bytes of native code for one component: four times the largest component. What is larger is refused.
pub(crate) const MAX_CODE_BYTES: u64 = 256 << 20;

/// One component to be compiled.
pub(crate) struct CompileJob<'a> {
    /// The engine that will load the code.
    pub(crate) engine: &'a Engine,
    /// What that engine and whoever compiles must share.
    pub(crate) compatibility: Digest,
    /// Whether the code counts fuel.
    pub(crate) fuel: bool,
    /// The component.
    pub(crate) bytes: &'a [u8],
    /// Whether somebody still waits for the code. Asked again and again.
    pub(crate) wanted: &'a dyn Fn() -> bool,
}

/// Who makes native code. What it gives is loaded and run as it is, so whoever is one is trusted like the engine itself.
pub(crate) trait Compiler: fmt::Debug + Send + Sync {
    /// Makes the code, blocking until it is made or nobody wants it any more.
    ///
    /// # Errors
    /// If the engine does not accept the component, it cannot be compiled within the limits, or the host fails.
    fn compile(&self, job: &CompileJob<'_>, on_event: &mut dyn FnMut(PrepareEvent)) -> Result<Vec<u8>, PrepareError>;
}

/// Compiles in this process, without limits of time and memory: for bytes that the program itself vouches for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InThisProcess;

impl Compiler for InThisProcess {
    fn compile(&self, job: &CompileJob<'_>, _: &mut dyn FnMut(PrepareEvent)) -> Result<Vec<u8>, PrepareError> {
        native_code(job.engine, job.bytes)
    }
}

/// The engine's own compiler.
pub(crate) fn native_code(engine: &Engine, component: &[u8]) -> Result<Vec<u8>, PrepareError> {
    engine.precompile_component(component).map_err(|error| PrepareError::Refused(format!("{error:#}")))
}

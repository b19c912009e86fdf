//! From the engine's error to a failure of the closed table.

use skillhall_core::failure::{Failure, FailureCode};
use wasmtime::component::ResourceTableError;
use wasmtime::{Error, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use super::backtrace;
use crate::sandbox::{Stop, inert};

/// The most characters of a failure's message.
pub(crate) const MAX_MESSAGE: usize = 4096;

/// Why an instantiation or a call ended with an error.
pub(super) fn failure(error: &Error, stage: Stage) -> Failure {
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let (code, message) = reason(error, stage, backtrace.is_some());
    let mut failure = Failure::new(code, clean(&message));
    failure.backtrace = backtrace.map(backtrace::names).unwrap_or_default();
    failure
}

/// What was being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The component was being instantiated.
    Instantiate,
    /// The tool was being called; `lists` if its result can have very many elements.
    Call { lists: bool },
}

fn reason(error: &Error, stage: Stage, in_guest: bool) -> (FailureCode, String) {
    if let Some(stop) = error.downcast_ref::<Stop>() {
        return (stop.code(), stop.to_string());
    }
    if let Some(exit) = error.downcast_ref::<I32Exit>() {
        return (FailureCode::Exit, format!("the skill called exit with status {}", exit.0));
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        return (FailureCode::Handles, "the skill held too many resources at once".to_owned());
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return (trap_code(*trap), trap.to_string());
    }
    let root = error.root_cause().to_string();
    if let Some(told) = untyped(&root, stage, in_guest) {
        return told;
    }
    match stage {
        Stage::Instantiate if !in_guest => (FailureCode::Link, format!("{error:#}")),
        _ => (FailureCode::Trap, root),
    }
}

fn trap_code(trap: Trap) -> FailureCode {
    match trap {
        Trap::StackOverflow => FailureCode::Stack,
        Trap::OutOfFuel => FailureCode::Fuel,
        Trap::Interrupt => FailureCode::Time,
        Trap::AllocationTooLarge => FailureCode::Memory,
        _ => FailureCode::Trap,
    }
}

/// Limits of the engine that have no type of their own. The words are those of the pinned version; a test exceeds each.
fn untyped(root: &str, stage: Stage, in_guest: bool) -> Option<(FailureCode, String)> {
    if root.contains("store handle limit exceeded") || root.starts_with("cannot allocate another handle") {
        return Some((FailureCode::Handles, "the skill held too many handles at once".to_owned()));
    }
    if root.starts_with("resource limit exceeded") {
        return Some((FailureCode::Memory, root.to_owned()));
    }
    if root.starts_with("too much data is being copied") {
        return Some(match stage {
            Stage::Call { lists: true } if !in_guest => (FailureCode::Value, "the result has too many elements".to_owned()),
            Stage::Call { lists: false } if !in_guest => (FailureCode::Output, "the result is too large".to_owned()),
            _ => (FailureCode::HostCalls, "the skill moved too many bytes in one host call".to_owned()),
        });
    }
    None
}

fn clean(message: &str) -> String {
    inert(message.as_bytes()).chars().take(MAX_MESSAGE).collect()
}

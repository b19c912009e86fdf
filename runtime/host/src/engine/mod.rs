//! The engine: compiles components, keeps compiled code, and runs one call of one tool in a fresh sandbox.
//!
//! [`Engines`] is made once for a process. [`Engines::prepare`] turns the bytes that were verified into a [`Prepared`]
//! skill (loaded from the authenticated cache, or compiled, where the engines were told to compile). Running one is the crate's own business: an `Order` names
//! the export, the input, the [`Limits`] and the links, and ends as an [`Outcome`]: a value or a
//! [`Failure`](skillhall_core::failure::Failure), with what was used. A [`KillHandle`] stops a run from outside.

mod backtrace;
mod cache;
mod code;
mod compile;
mod elsewhere;
mod ending;
mod engines;
pub mod execute;
mod floor;
mod kill;
mod limits;
mod outcome;
mod prepare;
mod run;
mod ticker;
pub mod values;

#[cfg(test)]
pub(crate) mod tests;

pub use cache::Rejection;
pub(crate) use cache::{CacheConfig, CacheKey};
pub(crate) use code::sealed;
pub(crate) use compile::{CompileJob, Compiler, InThisProcess, MAX_CODE_BYTES, native_code};
pub(crate) use elsewhere::{Apart, Elsewhere, Ended};
pub(crate) use engines::{EngineConfig, bare};
pub use engines::{EngineFault, Engines};
pub(crate) use floor::{BUILT_WITH, check as check_floor};
pub use floor::{FLOOR, Floor};
pub use kill::{KillHandle, KillReason};
pub use limits::Limits;
pub use outcome::{Outcome, Resources, Used};
pub(crate) use prepare::{HandedOver, Memory};
pub use prepare::{MAX_COMPONENT_BYTES, PrepareError, PrepareEvent, Prepared};
pub(crate) use run::{Order, Tally, Told, folders, json_bytes, never_began, run, stopped};
pub(crate) use {
    backtrace::{MAX_FRAMES, MAX_NAME},
    ending::MAX_MESSAGE,
};

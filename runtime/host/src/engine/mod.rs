//! The engine: compiles components, keeps compiled code, and runs one call of one tool in a fresh sandbox.
//!
//! [`Engines`] is made once for a process. [`Engines::prepare`] turns the bytes that were verified into a [`Prepared`]
//! skill (compiled, or loaded from the authenticated cache). Running one is the crate's own business: an `Order` names
//! the export, the input, the [`Limits`] and the links, and ends as an [`Outcome`]: a value or a
//! [`Failure`](skillhall_core::failure::Failure), with what was used. A [`KillHandle`] stops a run from outside.

mod backtrace;
mod cache;
mod code;
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
mod tests;

pub use cache::{CacheConfig, CacheKey, Rejection};
pub use engines::{EngineConfig, EngineFault, Engines};
pub use floor::{FLOOR, Floor};
pub use kill::{KillHandle, KillReason};
pub use limits::Limits;
pub use outcome::{Outcome, Resources, Used};
pub use prepare::{MAX_COMPONENT_BYTES, PrepareError, PrepareEvent, Prepared};
pub(crate) use run::{Order, Tally, run};

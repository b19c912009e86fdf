//! The worker: a process of this very program that handles what strangers wrote, behind locks, so that a component that
//! breaks or burdens the engine does so where nothing of value is.
//!
//! Bytes that nobody of this host has compiled before are parsed, validated and compiled in such a process, one for each
//! component. It starts with an empty environment, the bytes as its standard input and two pipes, and then, before it reads
//! one of those bytes, locks itself up: limits of memory, time, files and processes, Landlock, seccomp. It knows no key,
//! no ledger and no registry. Its answer is bounded and checked; whatever it does instead of answering ends it, and the component is
//! refused.
//!
//! Guests that hall.toml isolates run in such processes as well: one for each skill and organisation, which lives on from call to
//! call. It has its code, the granted folders and one line to its parent (`wire`), and asks there for everything else.
//!
//! The program is its own worker: it is started anew from `/proc/self/exe`, and [`enter`], the first line of its `main`, takes
//! over there. A program that does not call `enter` is never started anew; its halls refuse to compile what is not in their
//! cache, unless they were opened with [`Config::compile_in_process`](crate::hall::Config::compile_in_process).

mod account;
mod answer;
mod attend;
mod child;
mod compile;
mod confine;
mod enter;
mod filter;
mod guest;
mod judge;
mod line;
mod offer;
mod outside;
mod pool;
mod probe;
mod process;
mod remote;
#[cfg(feature = "http")]
mod request;
#[cfg(feature = "http")]
mod sending;
mod task;
#[cfg(feature = "http")]
mod web;
mod wire;

#[cfg(test)]
pub(crate) mod tests;

pub use compile::CompileLimits;
pub(crate) use compile::Worker;
pub use enter::enter;
pub(crate) use enter::entered;
pub(crate) use offer::Isolation;
pub(crate) use pool::{PoolLimits, Workers};
pub use probe::{Confinement, Tried, confinement};
pub use process::interrupt;
pub use task::Layer;

//! The Model Context Protocol over a hall: an agent sees the tools that it may call now, and calls them through the one gate.
//!
//! [`Server`] answers `tools/list` with what [`Hall::offered`](skillhall::hall::Hall::offered) gives at that moment and `tools/call` with
//! what [`Hall::run`](skillhall::hall::Hall::run) gives; it decides nothing and keeps no list. No tool of it installs, grants, approves
//! or widens anything, and no answer tells an agent how that is done. The protocol itself is the crate `rmcp`: revision 2026-07-28,
//! which has no sessions, and those before it that begin with `initialize`.
//!
//! Rooms, in the order in which they may use each other:
//! `told, halls, progress, shares, waiting, tasks, sheets` <- `server` <- `handler` <- `stdio`, `door, rates` <- `http`.

mod door;
mod halls;
mod handler;
mod http;
mod progress;
mod rates;
mod server;
mod shares;
mod sheets;
mod stdio;
mod tasks;
mod told;
mod waiting;

pub use door::Door;
pub use halls::Halls;
pub use http::Http;
pub use server::Server;
pub use stdio::{End, serve};

//! The host of Skillhall: the sandbox in which a skill runs, and the engine that runs it.
//!
//! Rooms, in the order in which they may use each other: `sandbox` <- `engine` <- `hall`.
#![deny(unsafe_code)]

pub mod engine;
pub mod hall;
pub mod sandbox;

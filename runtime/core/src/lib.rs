//! All of Skillhall that decides and records.
//!
//! This crate knows no WebAssembly engine: it reads a skill's package, checks who attested and certified it, asks the
//! registry how it stands, takes the WCP decision and writes the ledger. The crate `skillhall` runs what this crate admits.
//!
//! Rooms, in the order in which they may use each other (a test holds it):
//! `denial, failure, clock, random, digest, id, json, store, database` <- `capability` <- `package` <- `trust` <- `registry` <- `stores` <- `quotas` <- `govern` <- `ledger`.
#![forbid(unsafe_code)]

pub mod capability;
pub mod clock;
#[cfg(feature = "sqlite")]
mod database;
pub mod denial;
pub mod digest;
pub mod failure;
pub mod govern;
pub mod id;
pub mod json;
pub mod ledger;
pub mod package;
pub mod quotas;
pub mod random;
pub mod registry;
pub mod store;
pub mod stores;
pub mod trust;

//! Whole halls, whole commands: what a user or an embedding program meets.

mod commands;
mod deny;
mod kill;
mod ledger;
mod store;

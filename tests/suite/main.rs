//! Whole halls, whole commands: what a user or an embedding program meets.

mod adapters;
mod approvals;
mod assets;
#[path = "loop.rs"]
mod author_loop;
mod bad_input;
mod claims;
mod commands;
mod deny;
mod doctor;
mod embed;
mod events;
mod files;
mod gates;
mod http;
mod isolation;
mod keyvalue;
mod kill;
mod ledger;
mod orgs;
mod powers;
mod quotas;
mod replay;
mod route;
mod schemas;
mod secrets;
mod snapshots;
mod sockets;
mod store;
mod switches;
mod tools;
mod truth;
mod values;
mod verbs;
mod wcp;
mod worker;

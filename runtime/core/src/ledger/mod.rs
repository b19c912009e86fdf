//! What happened, in the order in which it happened, so that nobody can change it unseen.
//!
//! A ledger is a folder of append-only segment files. Each [`append`](Ledger::append) writes its records and a signed
//! checkpoint over the RFC 6962 tree of all records, and returns when both are on the disk: what a record permits happens
//! after that, or not at all. [`audit`] reads a ledger from its first record to its head, [`read`] looks things up in it,
//! and [`change`] ties every change of the registry to a record.
//!
//! What the ledger cannot show by itself is that its end was cut off at an append: for that, a checkpoint must be kept
//! elsewhere and given to [`audit::verify`].

mod append;
pub mod audit;
pub mod change;
pub mod describe;
pub mod event;
pub mod export;
mod lock;
pub mod merkle;
pub mod note;
pub mod read;
pub mod record;
pub mod reserve;
mod scan;
mod segment;
pub mod taken;
#[cfg(test)]
mod tests;
pub mod usage;

pub use append::{Ledger, LedgerError};
pub use event::{Decision, End, Event, EventKind, Record, RecordError};
pub use note::{Checkpoint, NoteError, Origin};
pub use scan::{Corrupt, Fault, ScanError, Torn};
pub use segment::{MAX_BATCH_BYTES, MAX_BATCH_RECORDS};

//! What is published, who said what about it, and how it stands at this moment.
//!
//! [`Registry`] is the one trait; [`MemoryRegistry`](memory::MemoryRegistry) and `SqliteRegistry` (feature `sqlite`) keep
//! it, under the same rules and the same behaviour suite. [`standing::consult`] is the gate: it asks once and yields the
//! [`Standing`](standing::Standing) that the later gates judge by. A host that was given no registry has [`NoRegistry`].

mod absent;
pub mod access;
pub mod approval;
pub mod memory;
pub mod model;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod token;

pub use absent::NoRegistry;
pub use model::*;

//! What a skill is as bytes: manifest, WIT interface, schemas, layout, archive, and how they are built.

pub mod adapters;
pub mod archive;
pub mod build;
pub mod files;
pub mod layout;
pub mod limits;
pub mod manifest;
#[cfg(test)]
#[path = "tests/sample.rs"]
pub(crate) mod sample;
pub mod schema;
pub mod source;
pub mod wit;

pub use adapters::{Adapter, AdapterError};
pub use files::{Package, PackageError};
pub use manifest::{ComponentInfo, Effect, LimitsAsk, Manifest, SCHEMA_VERSION, Tool};
pub use source::{Source, SourceError};

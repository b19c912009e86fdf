//! JSON as something that is signed or checked: a strict reader and the one canonical form.

pub mod canonical;
pub mod strict;
#[cfg(test)]
mod tests;

pub use canonical::{CanonicalError, canonical, in_order, sorted, sorted_members};
pub use strict::{JsonError, parse, parse_as};

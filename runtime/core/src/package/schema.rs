//! JSON Schemas (draft 2020-12) of a tool's input and output: made from WIT types, narrowed by the author, and checked against.

mod check;
mod derive;
mod narrow;
#[cfg(test)]
mod tests;
mod validate;

pub use derive::{derive_input, derive_output};
pub use narrow::{NARROWING_KEYWORDS, is_narrowing_of, narrow, narrow_input};
pub use validate::{Validator, Violation};

/// The draft that every schema here is written in.
pub const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// The largest schema, in bytes of compact JSON.
pub const MAX_SCHEMA_BYTES: usize = 256 << 10;
/// The deepest nesting of schemas in a schema, references followed.
pub const MAX_SCHEMA_DEPTH: usize = 64;
/// The largest number of schemas in a schema, references followed.
pub const MAX_SCHEMA_NODES: usize = 16_384;
/// The longest regular expression, in characters.
pub const MAX_PATTERN_CHARS: usize = 256;
/// The deepest nesting of arrays and objects in a value that is checked.
pub const MAX_VALUE_DEPTH: usize = 64;
/// The largest number of array elements and object members, all levels together, in a value that is checked.
pub const MAX_VALUE_ELEMENTS: usize = 1_000_000;

/// A schema or a narrowing cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The schema is larger, deeper or more than its bound.
    #[error("{what} is over the bound of {limit}")]
    TooLarge {
        /// What is too large, deep or many.
        what: &'static str,
        /// The bound, in the unit that `what` names.
        limit: usize,
    },
    /// A part of the schema is refused.
    #[error("at \"{pointer}\": {message}")]
    Refused {
        /// Where in the schema, as a JSON pointer.
        pointer: String,
        /// What is refused, and why.
        message: String,
    },
    /// A narrowing names a parameter that the function does not have.
    #[error("there is no parameter \"{name}\"{}", nearest.as_ref().map(|n| format!("; did you mean \"{n}\"?")).unwrap_or_default())]
    UnknownParameter {
        /// The name in the narrowing.
        name: String,
        /// The nearest name that exists.
        nearest: Option<String>,
    },
}

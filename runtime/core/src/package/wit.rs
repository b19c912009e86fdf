//! What a component offers and asks for, read from its own bytes: imports, exports and functions with their types.
//!
//! Everything here takes bytes of strangers: sizes, nesting and counts are bounded before anything is built from them.

mod docs;
mod read;
#[cfg(test)]
mod tests;
mod types;

pub use docs::Docs;
pub use read::read;
pub use types::{Case, Field, Type};

/// The largest component that is read, in bytes.
pub const MAX_COMPONENT_BYTES: usize = 64 << 20;
/// The deepest nesting of types that a tool's parameter or result may have; a scalar is 1 deep.
pub const MAX_TYPE_DEPTH: usize = 32;
/// The largest number of types, fields and cases that one function may name, every repetition counted.
pub const MAX_TYPE_NODES: usize = 4096;
/// The largest number of functions that a component may export.
pub const MAX_FUNCTIONS: usize = 1024;
/// The largest WIT text, in bytes: of a component's printed world, and of all files of a `wit/` folder together.
pub const MAX_WIT_BYTES: usize = 256 << 10;

/// A component as seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// What it imports by the names in its bytes (`wasi:cli/exit@0.2.6`, or a bare name), sorted.
    pub imports: Vec<String>,
    /// Those of `imports` that bring names of types only, no function and no resource, so that nothing is reached through them.
    pub types_only: Vec<String>,
    /// The interfaces and bare functions it exports by the names in its bytes, sorted.
    pub exports: Vec<String>,
    /// Its exported functions, bare ones and those of exported interfaces, sorted by `export`.
    pub functions: Vec<Function>,
    /// Its world as WIT text, with the packages it uses (those of WASI are named, not repeated). The same bytes give the same text.
    pub wit: String,
}

/// One exported function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// `namespace:package/interface@version#function` (version only if the component exports it with one), or a bare name.
    pub export: String,
    /// The function's own name: what stands behind `#`, or the whole of a bare name.
    pub name: String,
    /// Its parameters in order. Empty if the function is refused.
    pub params: Vec<(String, Type)>,
    /// What it returns, if anything. `None` if the function is refused.
    pub result: Option<Type>,
    /// Its doc comment. A built component has lost it; [`Docs::apply`] brings it back.
    pub docs: Option<String>,
    /// Why it cannot be a tool: a resource, stream, future or error-context in its types, an async function, types too large.
    pub refused: Option<String>,
}

/// A component or WIT text could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitError {
    /// The bytes are a core module.
    #[error(
        "this is a core WebAssembly module, not a component; build for wasm32-wasip2, or make a component of it with `wasm-tools component new`"
    )]
    CoreModule,
    /// The bytes are a WIT package in its binary form, which holds no code.
    #[error("this is a WIT package in binary form, not a component: it holds no code")]
    WitPackage,
    /// The bytes are no component, or one that is malformed.
    #[error("this is no valid component: {0}")]
    Malformed(String),
    /// A bound is exceeded.
    #[error("{what} is over the bound of {limit}")]
    TooLarge {
        /// What is too large, deep or many.
        what: &'static str,
        /// The bound, in the unit that `what` names.
        limit: usize,
    },
    /// WIT text does not parse or does not resolve.
    #[error("the WIT does not parse: {0}")]
    Text(String),
    /// The component could not be looked at, through no fault of its own.
    #[error("the component could not be read: {0}")]
    Fault(String),
}

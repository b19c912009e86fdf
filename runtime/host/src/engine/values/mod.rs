//! JSON and the component model's values: one mapping, both ways, by the tool's own types.
//!
//! | WIT | JSON |
//! |---|---|
//! | bool | boolean |
//! | s8 to s32, u8 to u32 | integer in range |
//! | s64, u64 | integer within 2^53 - 1, or decimal string |
//! | f32, f64 | number; `"NaN"`, `"Infinity"`, `"-Infinity"`, `"-0"` |
//! | char | string of one scalar value |
//! | string | string |
//! | list of u8 | base64 (RFC 4648 section 4) |
//! | list, fixed-length list, tuple | array |
//! | map | object if its keys are strings, else array of pairs |
//! | record | object; option fields may be absent |
//! | variant | the case's name, or an object with that one key if the case has a payload |
//! | enum | string |
//! | flags | array of names |
//! | option | null or the value; `{"some": ..}` if the value could itself be null |
//! | result | `{"ok": ..}` or `{"error": ..}` |

mod lift;
mod lower;

#[cfg(test)]
mod tests;

use std::fmt;

pub use lift::{Lifted, lift, lift_result};
pub use lower::{lower, lower_parameters};
use wasmtime::component::Type;

/// Integers up to this magnitude are exact in every JSON reader.
const MAX_SAFE: i128 = (1 << 53) - 1;

/// How large a value may be, in either direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueBounds {
    /// The deepest nesting: a scalar has depth 0, and the object that holds a function's parameters is a level.
    pub depth: u64,
    /// The most values in one value, itself and all within; the bytes of a `list<u8>` count as one.
    pub elements: u64,
}

/// How large a value is, as far as it was walked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Its deepest nesting.
    pub depth: u64,
    /// The values in it, itself and all within.
    pub elements: u64,
}

/// A value that does not fit its type or the bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ValueError {
    /// JSON pointer (RFC 6901) to the place.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pointer.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "at {}: {}", self.pointer, self.message)
    }
}

/// Where a walk is, and what it may still visit.
struct Walk {
    path: Vec<String>,
    depth: u64,
    deepest: u64,
    left: u64,
    bounds: ValueBounds,
}

impl Walk {
    fn new(bounds: ValueBounds) -> Self {
        Self { path: Vec::new(), depth: 0, deepest: 0, left: bounds.elements, bounds }
    }

    /// How much was walked.
    fn extent(&self) -> Extent {
        Extent { depth: self.deepest, elements: self.bounds.elements.saturating_sub(self.left) }
    }

    fn wrong<T>(&self, message: impl Into<String>) -> Result<T, ValueError> {
        let mut pointer = String::new();
        for token in &self.path {
            pointer.push('/');
            pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
        }
        Err(ValueError { pointer, message: message.into() })
    }

    /// Counts one value.
    fn visit(&mut self) -> Result<(), ValueError> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => self.wrong(format!("more than {} elements", self.bounds.elements)),
        }
    }

    /// Goes one level in for `step`.
    fn within<T>(
        &mut self,
        token: impl fmt::Display,
        step: impl FnOnce(&mut Self) -> Result<T, ValueError>,
    ) -> Result<T, ValueError> {
        if self.depth >= self.bounds.depth {
            return self.wrong(format!("nested more than {} deep", self.bounds.depth));
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        self.path.push(token.to_string());
        let result = step(self);
        self.path.pop();
        self.depth -= 1;
        result
    }
}

/// Whether a value of this type can be `null` in JSON, so that an option around it needs `{"some": ..}`.
fn is_nullable(ty: &Type) -> bool {
    matches!(ty, Type::Option(_))
}

fn is_bytes(element: &Type) -> bool {
    matches!(element, Type::U8)
}

/// Whether values of this type can have very many elements that are not bytes.
pub(super) fn has_lists(ty: &Type) -> bool {
    match ty {
        Type::List(list) => !is_bytes(&list.ty()),
        Type::Map(_) | Type::FixedLengthList(_) => true,
        Type::Record(record) => record.fields().any(|field| has_lists(&field.ty)),
        Type::Tuple(tuple) => tuple.types().any(|ty| has_lists(&ty)),
        Type::Variant(variant) => variant.cases().any(|case| case.ty.is_some_and(|ty| has_lists(&ty))),
        Type::Option(option) => has_lists(&option.ty()),
        Type::Result(result) => [result.ok(), result.err()].into_iter().flatten().any(|ty| has_lists(&ty)),
        _ => false,
    }
}

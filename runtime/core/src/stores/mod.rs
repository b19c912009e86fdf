//! What skills keep from one call to the next: entries of a key and a value, in stores.
//!
//! A store belongs to one organisation and one skill; there is no operation that names two. [`Stores`] is the one trait;
//! [`MemoryStores`](memory::MemoryStores) and `SqliteStores` (feature `sqlite`) keep them, under the same rules and the same
//! behaviour suite. Each [`Operation`] happens whole or not at all, whatever else happens at the same time, and never takes a
//! store beyond its [`Quota`].

pub mod memory;
mod rules;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::capability::keyvalue::Grant;
use crate::digest::Digest;
use crate::id::{OrgId, SkillId};

/// The most bytes of a key.
pub const MAX_KEY_BYTES: usize = 1024;
/// The most bytes of a value: 512 KiB.
pub const MAX_VALUE_BYTES: usize = 512 << 10;
/// The most keys that one operation names or lists.
pub const MAX_KEYS: usize = 256;
/// The most bytes of values that one operation brings: 1 MiB.
pub const MAX_ANSWER_BYTES: usize = 1 << 20;

/// Which store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoreId {
    /// Whose calls use it.
    pub organisation: OrgId,
    /// Which skill, in every version.
    pub skill: SkillId,
    /// Its name.
    pub store: String,
}

/// How much a store may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Bytes of all keys and values together.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
}

impl From<&Grant> for Quota {
    fn from(grant: &Grant) -> Self {
        Self { bytes: grant.bytes, entries: grant.entries }
    }
}

/// How much a store holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes of all keys and values together.
    pub bytes: u64,
    /// Entries.
    pub entries: u64,
}

/// A number as a counter has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Number {
    /// Not below zero.
    Unsigned(u64),
    /// Of either sign.
    Signed(i64),
}

/// What is to be done with one store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Operation {
    /// Nothing but to see that it can be used.
    Open,
    /// The value of a key.
    Get {
        /// The key.
        key: String,
    },
    /// Whether there is an entry with this key.
    Exists {
        /// The key.
        key: String,
    },
    /// Some of the keys, in the order in which they were added.
    Keys {
        /// Those after this place; from 0 on they are all.
        after: u64,
    },
    /// The values of several keys.
    GetMany {
        /// The keys.
        keys: Vec<String>,
    },
    /// Sets all of these, or none. Of a key that is named twice the last value counts.
    Set {
        /// Keys and values.
        entries: Vec<(String, Vec<u8>)>,
    },
    /// Deletes all of these that are there.
    Delete {
        /// The keys.
        keys: Vec<String>,
    },
    /// Adds to a number in decimal digits; a key that is not there counts as zero.
    Increment {
        /// The key.
        key: String,
        /// How much is added; the sum has the same bounds.
        by: Number,
    },
    /// Sets a value, if the one that is there is the expected one.
    Swap {
        /// The key.
        key: String,
        /// SHA-256 of the value that has to be there, or that none has to.
        expected: Option<Digest>,
        /// The new value.
        value: Vec<u8>,
    },
}

impl Operation {
    /// Whether it can change what is kept.
    #[must_use]
    pub fn writes(&self) -> bool {
        match self {
            Self::Open | Self::Get { .. } | Self::Exists { .. } | Self::Keys { .. } | Self::GetMany { .. } => false,
            Self::Set { .. } | Self::Delete { .. } | Self::Increment { .. } | Self::Swap { .. } => true,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It was done.
    Done,
    /// The value, if there is one.
    Value(Option<Vec<u8>>),
    /// Whether there is one.
    Exists(bool),
    /// Keys, and after which place there are more.
    Keys {
        /// The keys.
        keys: Vec<String>,
        /// Where to go on; `None` is the end.
        next: Option<u64>,
    },
    /// The values in the order in which they were asked for.
    Values(Vec<Option<Vec<u8>>>),
    /// The sum.
    Number(Number),
    /// Another value is there, with this digest, or none. Nothing was set.
    Changed(Option<Digest>),
}

/// An operation that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Performed {
    /// What came of it.
    pub answer: Answer,
    /// What the store holds now.
    pub usage: Usage,
}

/// An operation that was not done. As text it is what a skill may be told: a word, and an explanation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum StoreError {
    /// A key is too long.
    #[error("key-too-long: a key has at most {MAX_KEY_BYTES} bytes")]
    Key,
    /// A value is too long.
    #[error("value-too-long: a value has at most {MAX_VALUE_BYTES} bytes")]
    Value,
    /// Too much in one operation.
    #[error("too-much: one operation names at most {MAX_KEYS} keys and brings at most {MAX_ANSWER_BYTES} bytes of values")]
    Batch,
    /// What is there is no number in decimal digits, or the sum is out of bounds.
    #[error("not-a-number: the value is no number in decimal digits, or the sum is out of its bounds")]
    Number,
    /// The store would hold more than it may.
    #[error("over-quota: the store may hold {} bytes in {} entries", .0.bytes, .0.entries)]
    OverQuota(Quota),
    /// What the host keeps its stores in cannot be used. The reason is the host's own and is not told to a skill.
    #[error("unavailable: the host cannot use its stores now")]
    Unavailable(String),
    /// Nobody waited any longer. Nothing was changed.
    #[error("given-up: nobody waited any longer")]
    GivenUp,
}

/// A store that holds something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Whose calls use it.
    pub organisation: OrgId,
    /// Its name.
    pub store: String,
    /// What it holds.
    #[serde(flatten)]
    pub usage: Usage,
}

/// Where a host keeps them. The calls block for as long as the disk takes.
pub trait Stores: Send + Sync {
    /// Does one operation, whole or not at all. What it changed is on the disk when this returns, if the stores are on one.
    ///
    /// `wanted` is asked at the last moment before a change is made for good: if nobody waits any longer, nothing is changed.
    ///
    /// # Errors
    /// See [`StoreError`]; nothing was changed then.
    fn perform(
        &self,
        id: &StoreId,
        quota: Quota,
        operation: Operation,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Performed, StoreError>;

    /// The stores of a skill that hold something, of every organisation, by organisation and name. It is for the host's owner;
    /// no skill can ask it. Stores that do not say otherwise cannot tell.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    fn list(&self, skill: &SkillId) -> Result<Vec<Kept>, StoreError> {
        Err(StoreError::Unavailable(format!("these stores do not tell what they hold of {skill}")))
    }

    /// Deletes all that a store holds, whole or not at all, and gives how much that was. It is for the host's owner. Stores that
    /// do not say otherwise delete nothing.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; nothing was deleted then.
    fn clear(&self, id: &StoreId) -> Result<Usage, StoreError> {
        Err(StoreError::Unavailable(format!("these stores do not delete what they hold of {}", id.skill)))
    }
}

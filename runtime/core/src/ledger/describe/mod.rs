//! What each kind of record says: the members that it has, and the JSON Schema that is made of that.
//!
//! [`forms`] is the table. A kind has one form or several; a record has all members of one of its forms that are always there, of the
//! others some, and no more. `docs/events.md` and the schema that `hall schema event` prints are made from it.

/// A member that is always there. A macro, since what a function gives cannot stand in a table of tables.
macro_rules! always {
    ($name:expr, $shape:expr, $says:expr $(,)?) => {
        Member { name: $name, shape: $shape, always: true, says: $says }
    };
}

/// A member that may be there.
macro_rules! sometimes {
    ($name:expr, $shape:expr, $says:expr $(,)?) => {
        Member { name: $name, shape: $shape, always: false, says: $says }
    };
}

mod members;
mod schema;
mod table;

pub use members::{ANY_DATA, common};
pub use schema::schema;
pub use table::forms;

/// One form that the records of a kind have.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// When a record has this form, if its kind has several.
    pub when: &'static str,
    /// The decision that is in it, where that tells it from others.
    pub decision: Option<&'static str>,
    /// Common members that are always there, in groups.
    pub must: &'static [&'static [&'static str]],
    /// Common members that may be there.
    pub may: &'static [&'static [&'static str]],
    /// Digests, by what they are of.
    pub hashes: &'static [Member],
    /// What this kind says beside the common members.
    pub data: &'static [Member],
    /// Which change of the registry it announces.
    pub change: Option<&'static str>,
}

/// A member of an object.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether it is always there.
    pub always: bool,
    /// What it means.
    pub says: &'static str,
}

/// What a value can be.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Any text.
    Text,
    /// An id or a name: a text of at most 256 characters without control characters.
    Id,
    /// SHA-256 in lower-case hexadecimal.
    Digest,
    /// A moment, as RFC 3339 in UTC.
    Time,
    /// A whole number, not negative.
    Count,
    /// True or false.
    Flag,
    /// Nothing.
    Null,
    /// One of these texts.
    Word(&'static [&'static str]),
    /// A list.
    List(&'static Shape),
    /// An object with names of one's own.
    Map(&'static Shape),
    /// An object with these members and no other.
    Object(&'static [Member]),
    /// An object with exactly one of these members.
    One(&'static [Member]),
    /// One of several shapes.
    Either(&'static [Shape]),
    /// An object whose members are described elsewhere: those of a policy, of a denial, of an event of WCP.
    Open,
}

//! The form that every list of asks has: bounded, each entry valid, none twice.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::AskError;

/// The most entries that one capability may list.
pub const MAX_ENTRIES: usize = 64;

/// One entry of what a manifest declares for a capability.
pub trait Ask {
    /// The capability's name in skill.toml.
    const CAPABILITY: &'static str;

    /// Holds the entry to the capability's rules.
    ///
    /// # Errors
    /// If no host could grant it as it is written.
    fn validate(&self) -> Result<(), AskError>;

    /// Whether both name the same thing, so that they cannot stand in one list.
    fn overlaps(&self, other: &Self) -> bool;

    /// The entry as a line for people, without the capability's name.
    fn line(&self) -> String;
}

/// An entry with its capability's name, for people: `files: /in (read)`.
pub(super) fn line<T: Ask>(entry: &T) -> String {
    format!("{}: {}", T::CAPABILITY, entry.line())
}

/// What is declared for a capability that can be linked empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asked<T> {
    /// Nothing: a component that imports it is refused.
    #[default]
    None,
    /// `"empty"`: linked, and always refuses or reads as nothing.
    Empty,
    /// These, and no others. Never an empty list.
    List(Vec<T>),
}

impl<T> Asked<T> {
    /// Whether the capability is not declared at all.
    #[must_use]
    pub fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// What is listed; nothing for `"empty"`.
    #[must_use]
    pub fn entries(&self) -> &[T] {
        match self {
            Self::List(entries) => entries,
            Self::None | Self::Empty => &[],
        }
    }
}

impl<T: Ask> Asked<T> {
    pub(super) fn validate(&self) -> Result<(), AskError> {
        validate(self.entries())
    }
}

/// Holds a list to its bound and each entry to its rules.
pub(super) fn validate<T: Ask>(asks: &[T]) -> Result<(), AskError> {
    if asks.len() > MAX_ENTRIES {
        return Err(AskError::new(format!("{} lists more than {MAX_ENTRIES} entries", T::CAPABILITY)));
    }
    for (index, ask) in asks.iter().enumerate() {
        ask.validate()?;
        if let Some(other) = asks.iter().take(index).find(|other| ask.overlaps(other)) {
            return Err(AskError::new(format!(
                "{} lists the same thing twice: {} and {}",
                T::CAPABILITY,
                other.line(),
                ask.line()
            )));
        }
    }
    Ok(())
}

/// Reads a list of asks; an entry that is not valid is an error at its place.
pub(super) fn deserialize<'de, D: Deserializer<'de>, T: Ask + DeserializeOwned>(deserializer: D) -> Result<Vec<T>, D::Error> {
    deserializer.deserialize_seq(ListVisitor(PhantomData))
}

impl<T: Serialize> Serialize for Asked<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::None => serializer.serialize_none(),
            Self::Empty => serializer.serialize_str("empty"),
            Self::List(entries) => entries.serialize(serializer),
        }
    }
}

impl<'de, T: Ask + DeserializeOwned> Deserialize<'de> for Asked<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AskedVisitor(PhantomData))
    }
}

struct AskedVisitor<T>(PhantomData<T>);

impl<'de, T: Ask + DeserializeOwned> Visitor<'de> for AskedVisitor<T> {
    type Value = Asked<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries, or \"empty\"")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Asked<T>, E> {
        if text == "empty" {
            Ok(Asked::Empty)
        } else {
            Err(E::invalid_value(serde::de::Unexpected::Other("another text"), &self))
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<Asked<T>, A::Error> {
        let entries = ListVisitor(PhantomData).visit_seq(access)?;
        // Nothing listed is nothing asked; skill.json then has no such member, so `[]` there is not canonical.
        Ok(if entries.is_empty() { Asked::None } else { Asked::List(entries) })
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Ask + DeserializeOwned> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Vec<T>, A::Error> {
        let mut entries: Vec<T> = Vec::new();
        while entries.len() < MAX_ENTRIES {
            let Some(entry) = access.next_element::<T>()? else {
                break;
            };
            entries.push(entry);
        }
        if entries.len() == MAX_ENTRIES && access.next_element::<IgnoredAny>()?.is_some() {
            return Err(A::Error::custom(format_args!("{} lists more than {MAX_ENTRIES} entries", T::CAPABILITY)));
        }
        validate(&entries).map_err(A::Error::custom)?;
        Ok(entries)
    }
}

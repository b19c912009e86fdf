//! What every kind of store holds to: bounds, quota, and what each operation means.

use std::collections::BTreeMap;

use super::{
    Answer, MAX_ANSWER_BYTES, MAX_KEY_BYTES, MAX_KEYS, MAX_VALUE_BYTES, Number, Operation, Performed, Quota, StoreError, Usage,
};
use crate::digest::Digest;

/// One store, while nobody else changes it.
pub(super) trait Rows {
    /// What it holds.
    fn usage(&self) -> Result<Usage, StoreError>;

    /// The value of a key.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// How many bytes the value of a key has.
    fn size(&self, key: &str) -> Result<Option<u64>, StoreError>;

    /// At most so many keys with their places, the first ones after a place.
    fn keys(&self, after: u64, most: usize) -> Result<Vec<(u64, String)>, StoreError>;

    /// Sets a value. A new entry gets a place after all that ever were.
    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError>;

    /// Takes an entry out.
    fn remove(&mut self, key: &str) -> Result<(), StoreError>;

    /// Writes down what it holds now.
    fn note(&mut self, usage: Usage) -> Result<(), StoreError>;
}

/// Holds an operation to the bounds of keys and values, before anything is looked at.
pub(super) fn check(operation: &Operation) -> Result<(), StoreError> {
    let key = |key: &String| if key.len() > MAX_KEY_BYTES { Err(StoreError::Key) } else { Ok(()) };
    let value = |value: &Vec<u8>| if value.len() > MAX_VALUE_BYTES { Err(StoreError::Value) } else { Ok(()) };
    let count = |count: usize| if count > MAX_KEYS { Err(StoreError::Batch) } else { Ok(()) };
    match operation {
        Operation::Open | Operation::Keys { .. } => Ok(()),
        Operation::Get { key: named } | Operation::Exists { key: named } | Operation::Increment { key: named, .. } => key(named),
        Operation::GetMany { keys } | Operation::Delete { keys } => {
            count(keys.len())?;
            keys.iter().try_for_each(key)
        }
        Operation::Set { entries } => {
            count(entries.len())?;
            entries.iter().try_for_each(|(named, content)| key(named).and_then(|()| value(content)))
        }
        Operation::Swap { key: named, value: content, .. } => key(named).and_then(|()| value(content)),
    }
}

/// Does an operation that was checked.
pub(super) fn perform(rows: &mut impl Rows, quota: Quota, operation: Operation) -> Result<Performed, StoreError> {
    let answer = match operation {
        Operation::Open => Answer::Done,
        Operation::Get { key } => Answer::Value(rows.get(&key)?),
        Operation::Exists { key } => Answer::Exists(rows.size(&key)?.is_some()),
        Operation::Keys { after } => page(rows, after)?,
        Operation::GetMany { keys } => values(rows, &keys)?,
        Operation::Set { entries } => {
            set(rows, quota, entries.iter().map(|(key, value)| (key.as_str(), value.as_slice())))?;
            Answer::Done
        }
        Operation::Delete { keys } => {
            keys.iter().try_for_each(|key| delete(rows, key))?;
            Answer::Done
        }
        Operation::Increment { key, by } => {
            let sum = sum(rows.get(&key)?.as_deref(), by)?;
            let text = match sum {
                Number::Unsigned(sum) => sum.to_string(),
                Number::Signed(sum) => sum.to_string(),
            };
            set(rows, quota, std::iter::once((key.as_str(), text.as_bytes())))?;
            Answer::Number(sum)
        }
        Operation::Swap { key, expected, value } => {
            let there = rows.get(&key)?.map(|value| Digest::of(&value));
            if there == expected {
                set(rows, quota, std::iter::once((key.as_str(), value.as_slice())))?;
                Answer::Done
            } else {
                Answer::Changed(there)
            }
        }
    };
    Ok(Performed { answer, usage: rows.usage()? })
}

fn page(rows: &impl Rows, after: u64) -> Result<Answer, StoreError> {
    let mut found = rows.keys(after, MAX_KEYS + 1)?;
    let is_more = found.len() > MAX_KEYS;
    found.truncate(MAX_KEYS);
    let next = found.last().map(|(place, _)| *place).filter(|_| is_more);
    Ok(Answer::Keys { keys: found.into_iter().map(|(_, key)| key).collect(), next })
}

fn values(rows: &impl Rows, keys: &[String]) -> Result<Answer, StoreError> {
    let (mut values, mut bytes) = (Vec::with_capacity(keys.len()), 0_u64);
    for key in keys {
        bytes = bytes.saturating_add(rows.size(key)?.unwrap_or_default());
        if bytes > to_u64(MAX_ANSWER_BYTES) {
            return Err(StoreError::Batch);
        }
        values.push(rows.get(key)?);
    }
    Ok(Answer::Values(values))
}

/// Sets all or none. What makes a store hold more than it may is refused; what makes it hold less never is, whatever it may
/// hold by now.
fn set<'a>(rows: &mut impl Rows, quota: Quota, entries: impl Iterator<Item = (&'a str, &'a [u8])>) -> Result<(), StoreError> {
    let entries: BTreeMap<&str, &[u8]> = entries.collect();
    let before = rows.usage()?;
    let mut after = before;
    for (key, value) in &entries {
        let old = rows.size(key)?;
        if old.is_none() {
            after.entries = after.entries.saturating_add(1);
            after.bytes = after.bytes.saturating_add(to_u64(key.len()));
        }
        after.bytes = after.bytes.saturating_sub(old.unwrap_or_default()).saturating_add(to_u64(value.len()));
    }
    let is_over = |held: u64, may: u64, held_before: u64| held > may && held > held_before;
    if is_over(after.bytes, quota.bytes, before.bytes) || is_over(after.entries, quota.entries, before.entries) {
        return Err(StoreError::OverQuota(quota));
    }
    for (key, value) in entries {
        rows.put(key, value)?;
    }
    rows.note(after)
}

fn delete(rows: &mut impl Rows, key: &str) -> Result<(), StoreError> {
    let Some(size) = rows.size(key)? else { return Ok(()) };
    let held = rows.usage()?;
    rows.remove(key)?;
    let gone = size.saturating_add(to_u64(key.len()));
    rows.note(Usage { bytes: held.bytes.saturating_sub(gone), entries: held.entries.saturating_sub(1) })
}

fn sum(value: Option<&[u8]>, by: Number) -> Result<Number, StoreError> {
    let digits = value.map_or(Ok("0"), std::str::from_utf8).map_err(|_| StoreError::Number)?;
    let sum = match by {
        Number::Unsigned(by) => digits.parse::<u64>().ok().and_then(|there| there.checked_add(by)).map(Number::Unsigned),
        Number::Signed(by) => digits.parse::<i64>().ok().and_then(|there| there.checked_add(by)).map(Number::Signed),
    };
    sum.ok_or(StoreError::Number)
}

pub(super) fn to_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

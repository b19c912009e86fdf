//! Stores in memory: gone with the process.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};

use super::rules::{self, Rows, to_u64};
use super::{Kept, Operation, Performed, Quota, StoreError, StoreId, Stores, Usage};
use crate::id::SkillId;

/// Stores in memory.
#[derive(Debug, Default)]
pub struct MemoryStores {
    stores: Mutex<BTreeMap<StoreId, Entries>>,
}

impl MemoryStores {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Stores for MemoryStores {
    fn perform(
        &self,
        id: &StoreId,
        quota: Quota,
        operation: Operation,
        wanted: &dyn Fn() -> bool,
    ) -> Result<Performed, StoreError> {
        rules::check(&operation)?;
        // An operation is judged before it changes anything, and a change of these maps does not fail half-way.
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        if !wanted() {
            return Err(StoreError::GivenUp);
        }
        if operation.writes() {
            return rules::perform(stores.entry(id.clone()).or_default(), quota, operation);
        }
        match stores.get_mut(id) {
            Some(entries) => rules::perform(entries, quota, operation),
            None => rules::perform(&mut Entries::default(), quota, operation),
        }
    }

    fn list(&self, skill: &SkillId) -> Result<Vec<Kept>, StoreError> {
        let stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = stores
            .iter()
            .filter(|(id, entries)| id.skill == *skill && entries.usage.entries > 0)
            .map(|(id, entries)| Kept { organisation: id.organisation.clone(), store: id.store.clone(), usage: entries.usage });
        Ok(kept.collect())
    }

    fn clear(&self, id: &StoreId) -> Result<Usage, StoreError> {
        let mut stores = self.stores.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entries) = stores.get_mut(id) else { return Ok(Usage::default()) };
        // No place is given twice, not even now.
        let cleared = std::mem::replace(entries, Entries { last: entries.last, ..Entries::default() });
        Ok(cleared.usage)
    }
}

#[derive(Debug, Default)]
struct Entries {
    values: BTreeMap<String, (u64, Vec<u8>)>,
    places: BTreeMap<u64, String>,
    last: u64,
    usage: Usage,
}

impl Rows for Entries {
    fn usage(&self) -> Result<Usage, StoreError> {
        Ok(self.usage)
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.values.get(key).map(|(_, value)| value.clone()))
    }

    fn size(&self, key: &str) -> Result<Option<u64>, StoreError> {
        Ok(self.values.get(key).map(|(_, value)| to_u64(value.len())))
    }

    fn keys(&self, after: u64, most: usize) -> Result<Vec<(u64, String)>, StoreError> {
        let later = self.places.range((Bound::Excluded(after), Bound::Unbounded));
        Ok(later.take(most).map(|(place, key)| (*place, key.clone())).collect())
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), StoreError> {
        if let Some((_, old)) = self.values.get_mut(key) {
            *old = value.to_vec();
            return Ok(());
        }
        self.last = self.last.saturating_add(1);
        self.places.insert(self.last, key.to_owned());
        self.values.insert(key.to_owned(), (self.last, value.to_vec()));
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Result<(), StoreError> {
        if let Some((place, _)) = self.values.remove(key) {
            self.places.remove(&place);
        }
        Ok(())
    }

    fn note(&mut self, usage: Usage) -> Result<(), StoreError> {
        self.usage = usage;
        Ok(())
    }
}

//! What skills keep in their stores, as the hall's owner sees it: how much there is, and gone when the owner says so.

use serde::Serialize;
use serde_json::json;
use skillhall_core::govern::authority::Action;
use skillhall_core::id::{OrgId, SkillId};
use skillhall_core::ledger::EventKind;
use skillhall_core::stores::{Kept, StoreError, StoreId};

use super::{Fault, Hall, Refused};

/// What was deleted.
#[derive(Clone, Debug, Serialize)]
pub struct Cleared {
    /// The skill.
    pub skill: SkillId,
    /// The stores with what they held.
    pub cleared: Vec<Kept>,
    /// The ledger's sequence of the record; `None` if there was nothing to delete.
    pub record: Option<u64>,
}

impl Hall {
    /// The stores of a skill that hold something, of every organisation, whatever is granted and installed. Nothing is recorded.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`; [`Fault::Stores`] if they cannot be used.
    pub fn stores(&self, skill: &SkillId) -> Result<Vec<Kept>, Refused> {
        self.permits(Action::Stores, Some(&skill.namespace))?;
        self.stores.list(skill).map_err(unusable)
    }

    /// Deletes what a skill keeps: in one store or all, for one organisation or all. Each store is emptied whole or not at all; a run
    /// that uses it finds it empty. Recorded as `store.clear` before it happens, with names and sizes and no contents.
    ///
    /// # Errors
    /// `DENY_UNAUTHENTICATED`, `DENY_LEDGER_UNAVAILABLE`; [`Fault::Stores`] if they cannot be used.
    pub fn clear(&self, skill: &SkillId, store: Option<&str>, organisation: Option<&OrgId>) -> Result<Cleared, Refused> {
        let mut event = self.event(EventKind::StoreClear, self.now()?);
        event.skill = Some(skill.clone());
        self.attempt(&event, |event| {
            self.may(Action::Stores, Some(&skill.namespace))?;
            let meant = |kept: &Kept| {
                store.is_none_or(|store| kept.store == store)
                    && organisation.is_none_or(|organisation| kept.organisation == *organisation)
            };
            let mut cleared: Vec<Kept> = self.stores.list(skill).map_err(unusable)?.into_iter().filter(meant).collect();
            if cleared.is_empty() {
                return Ok(Cleared { skill: skill.clone(), cleared, record: None });
            }
            let record = self.note(event.with("stores", json!(cleared)))?;
            for kept in &mut cleared {
                let (organisation, store) = (kept.organisation.clone(), kept.store.clone());
                let id = StoreId { organisation, skill: skill.clone(), store };
                kept.usage = self.stores.clear(&id).map_err(unusable)?;
            }
            Ok(Cleared { skill: skill.clone(), cleared, record: Some(record) })
        })
    }
}

fn unusable(error: StoreError) -> Refused {
    Refused::Fault(Fault::Stores(error))
}

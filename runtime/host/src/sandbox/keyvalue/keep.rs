//! The broker's side of stores: what is granted, for whom, and how a refusal is told.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use skillhall_core::capability::keyvalue::Grant;
use skillhall_core::capability::{Grants, Holder};
use skillhall_core::stores::{Operation, Performed, Quota, StoreError, StoreId, Stores};

use crate::sandbox::{Reason, Refusal};

/// An operation under way. It is done whole or not at all, and not done if this is dropped before.
pub type Keeping = Pin<Box<dyn Future<Output = Result<Performed, Unkept>> + Send>>;

/// What a guest is told instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The store is not for this skill, be it there or not.
    AccessDenied,
    /// A word and an explanation, such as `over-quota: ..`.
    Other(String),
}

impl Told {
    pub(super) fn nonsense() -> Self {
        Self::Other("unavailable: the broker gave an answer to another question".to_owned())
    }
}

/// An operation that was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unkept {
    /// What the guest is told.
    pub told: Told,
    /// What the receipt says, if it says anything.
    pub refusal: Option<Box<Refusal>>,
}

impl Unkept {
    /// This host has no stores at all.
    #[must_use]
    pub fn without_stores(store: &str) -> Self {
        let hint = "Whoever runs this host decides whether it keeps anything for its skills.";
        Self::denied(Refusal::new("keyvalue", Reason::Host, store, "this host was given no stores", hint))
    }

    /// As what is told when it is asked for.
    #[must_use]
    pub fn at_once(self) -> Keeping {
        Box::pin(ready(Err(self)))
    }

    fn denied(refusal: Refusal) -> Self {
        Self { told: Told::AccessDenied, refusal: Some(Box::new(refusal)) }
    }

    fn of(error: &StoreError, store: &str) -> Self {
        let told = Told::Other(error.to_string());
        let words = || error.to_string().split_once(": ").map_or_else(String::new, |(_, words)| words.to_owned());
        let refusal = match error {
            StoreError::Number | StoreError::GivenUp => return Self { told, refusal: None },
            StoreError::Key | StoreError::Value | StoreError::Batch => {
                let hint = "These bounds are the same everywhere: store a large thing in parts, and ask for fewer keys at once.";
                Refusal::new("keyvalue", Reason::Size, store, words(), hint)
            }
            StoreError::OverQuota(Quota { bytes, entries }) => {
                let hint = format!(
                    "The skill can delete what it no longer needs, or its operator grants more than {bytes} bytes and {entries} \
                     entries: hall grant NAMESPACE/NAME --keyvalue {store}:BYTES:ENTRIES"
                );
                Refusal::new("keyvalue", Reason::Quota, store, words(), hint)
            }
            StoreError::Unavailable(why) => {
                let hint = "Mend what the message names; what is kept stands in keyvalue.db in the hall's folder. The skill was \
                            told no more than that its store cannot be used now.";
                Refusal::new("keyvalue", Reason::Unavailable, store, format!("the host's stores cannot be used: {why}"), hint)
            }
        };
        Self { told, refusal: Some(Box::new(refusal)) }
    }
}

/// The stores that one call was granted, for the one whose call it is.
#[derive(Default)]
pub(in crate::sandbox) struct Keeper {
    granted: Vec<Grant>,
    kept: Option<(Holder, Arc<dyn Stores>)>,
}

impl Keeper {
    pub(in crate::sandbox) fn new(grants: &Grants, stores: Option<&Arc<dyn Stores>>) -> Self {
        let kept = grants.holder().cloned().zip(stores.cloned());
        Self { granted: grants.keyvalue().to_vec(), kept }
    }

    /// Decides, and gives what does it: off the thread that runs guests, since a disk can be slow.
    pub(in crate::sandbox) fn keep(&self, store: &str, operation: Operation) -> Keeping {
        let Some(grant) = self.granted.iter().find(|grant| grant.store == store) else {
            return self.not_granted(store).at_once();
        };
        let Some((Holder { organisation, skill }, stores)) = self.kept.clone() else {
            return Unkept::without_stores(store).at_once();
        };
        let (id, quota) = (StoreId { organisation, skill, store: store.to_owned() }, Quota::from(grant));
        let waiting = Arc::new(());
        Box::pin(async move {
            let waits = Arc::downgrade(&waiting);
            let store = id.store.clone();
            let work = tokio::task::spawn_blocking(move || stores.perform(&id, quota, operation, &|| waits.strong_count() > 0));
            let result = work.await.unwrap_or_else(|_| Err(StoreError::Unavailable("keeping it panicked".to_owned())));
            // Until here somebody waits, unless this future is dropped before.
            drop(waiting);
            result.map_err(|error| Unkept::of(&error, &store))
        })
    }

    fn not_granted(&self, store: &str) -> Unkept {
        let granted: Vec<&str> = self.granted.iter().map(|grant| grant.store.as_str()).collect();
        let message = match granted.as_slice() {
            [] => "no store is granted".to_owned(),
            granted => format!("the store is not granted; granted are: {}", granted.join(", ")),
        };
        let hint = "A store has to be asked for by its name in skill.toml ([capabilities] keyvalue = [\"NAME\"]), and granted: \
                    hall grant NAMESPACE/NAME --keyvalue NAME";
        Unkept::denied(Refusal::new("keyvalue", Reason::Store, store, message, hint))
    }
}

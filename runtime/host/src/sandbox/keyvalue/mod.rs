//! `wasi:keyvalue`: stores that the host keeps for a skill from one call to the next, each organisation's by itself.
//!
//! Components in the field import one of two drafts, and neither links in the place of the other: 0.2.0-draft (wasmCloud,
//! wasmtime's own crate) and 0.2.0-draft2 (Spin). Both are linked here, over one and the same: each operation goes to the
//! broker. wasmtime-wasi-keyvalue speaks the first only, and has neither quota nor a place to keep anything.

mod draft;
mod draft2;
mod keep;

use std::collections::BTreeMap;
use std::sync::Arc;

use skillhall_core::capability::keyvalue::Grant;
use skillhall_core::digest::Digest;
use skillhall_core::stores::{Answer, Number, Operation, Quota, Usage};
use wasmtime::Result;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::meter::Meter;
use super::{Broker, Guest};

pub(super) use keep::Keeper;
pub use keep::{Keeping, Told, Unkept};

/// Links both drafts.
pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    draft::link(linker)?;
    draft2::link(linker)
}

/// An open store.
#[expect(unreachable_pub, reason = "the generated code exports it again")]
pub struct Bucket {
    store: String,
}

/// A key whose value is to be exchanged only if it is still what was seen.
#[expect(unreachable_pub, reason = "the generated code exports it again")]
pub struct Cas {
    store: String,
    key: String,
    /// The digest: a handle costs the host little, whatever the value's size.
    seen: Option<Digest>,
}

/// The stores of one guest.
pub(crate) struct Opened {
    broker: Arc<dyn Broker>,
    quotas: BTreeMap<String, Quota>,
    /// What the stores hold that were used, when they were last used.
    usage: BTreeMap<String, Usage>,
}

/// What stores hold, and what they may hold.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    pub(crate) usage: Usage,
    pub(crate) quota: Quota,
}

impl Opened {
    pub(super) fn new(granted: &[Grant], broker: Arc<dyn Broker>) -> Self {
        let quotas = granted.iter().map(|grant| (grant.store.clone(), Quota::from(grant))).collect();
        Self { broker, quotas, usage: BTreeMap::new() }
    }

    /// All stores together that were used; `None` if none was.
    pub(crate) fn held(&self) -> Option<Held> {
        let each = self.usage.iter().filter_map(|(store, usage)| Some((usage, self.quotas.get(store)?)));
        each.fold(None, |sum: Option<Held>, (usage, quota)| {
            let sum = sum.unwrap_or(Held { usage: Usage::default(), quota: Quota { bytes: 0, entries: 0 } });
            Some(Held {
                usage: Usage {
                    bytes: sum.usage.bytes.saturating_add(usage.bytes),
                    entries: sum.usage.entries.saturating_add(usage.entries),
                },
                quota: Quota {
                    bytes: sum.quota.bytes.saturating_add(quota.bytes),
                    entries: sum.quota.entries.saturating_add(quota.entries),
                },
            })
        })
    }
}

/// The stores, and what counts their use.
struct View<'a> {
    opened: &'a mut Opened,
    table: &'a mut ResourceTable,
    meter: &'a mut Meter,
}

struct HasStores;

impl HasData for HasStores {
    type Data<'a> = View<'a>;
}

fn view(guest: &mut Guest) -> View<'_> {
    guest.meter.host_call();
    View { opened: &mut guest.stores, table: &mut guest.table, meter: &mut guest.meter }
}

/// What the guest gets: a value, or what it is told instead; an error of the host's stops it.
type Given<T> = Result<std::result::Result<T, Told>>;

impl View<'_> {
    async fn open(&mut self, store: String) -> Given<Resource<Bucket>> {
        Ok(match self.perform(&store, Operation::Open).await? {
            Ok(_) => Ok(self.table.push(Bucket { store })?),
            Err(told) => Err(told),
        })
    }

    async fn get(&mut self, bucket: &Resource<Bucket>, key: String) -> Given<Option<Vec<u8>>> {
        let answer = self.ask(bucket, Operation::Get { key }).await?;
        Ok(answer.and_then(|answer| if let Answer::Value(value) = answer { Ok(value) } else { Err(Told::nonsense()) }))
    }

    async fn exists(&mut self, bucket: &Resource<Bucket>, key: String) -> Given<bool> {
        let answer = self.ask(bucket, Operation::Exists { key }).await?;
        Ok(answer.and_then(|answer| if let Answer::Exists(exists) = answer { Ok(exists) } else { Err(Told::nonsense()) }))
    }

    async fn set(&mut self, bucket: &Resource<Bucket>, entries: Vec<(String, Vec<u8>)>) -> Given<()> {
        Ok(self.ask(bucket, Operation::Set { entries }).await?.map(drop))
    }

    async fn delete(&mut self, bucket: &Resource<Bucket>, keys: Vec<String>) -> Given<()> {
        Ok(self.ask(bucket, Operation::Delete { keys }).await?.map(drop))
    }

    /// Keys after a place, and where to go on.
    async fn keys(&mut self, bucket: &Resource<Bucket>, after: u64) -> Given<(Vec<String>, Option<u64>)> {
        let answer = self.ask(bucket, Operation::Keys { after }).await?;
        Ok(answer
            .and_then(|answer| if let Answer::Keys { keys, next } = answer { Ok((keys, next)) } else { Err(Told::nonsense()) }))
    }

    /// The values in the order of the keys.
    async fn get_many(&mut self, bucket: &Resource<Bucket>, keys: Vec<String>) -> Given<Vec<Option<Vec<u8>>>> {
        let answer = self.ask(bucket, Operation::GetMany { keys }).await?;
        Ok(answer.and_then(|answer| if let Answer::Values(values) = answer { Ok(values) } else { Err(Told::nonsense()) }))
    }

    async fn increment(&mut self, bucket: &Resource<Bucket>, key: String, by: Number) -> Given<Number> {
        let answer = self.ask(bucket, Operation::Increment { key, by }).await?;
        Ok(answer.and_then(|answer| if let Answer::Number(sum) = answer { Ok(sum) } else { Err(Told::nonsense()) }))
    }

    /// Looks at a value that is to be exchanged.
    async fn cas(&mut self, bucket: &Resource<Bucket>, key: String) -> Given<Resource<Cas>> {
        let store = self.table.get(bucket)?.store.clone();
        Ok(match self.get(bucket, key.clone()).await? {
            Ok(value) => Ok(self.table.push(Cas { store, key, seen: value.as_deref().map(Digest::of) })?),
            Err(told) => Err(told),
        })
    }

    /// Looks again, and gives what it sees.
    async fn current(&mut self, cas: &Resource<Cas>) -> Given<Option<Vec<u8>>> {
        let Cas { store, key, .. } = self.table.get(cas)?;
        let (store, key) = (store.clone(), key.clone());
        let value = match self.perform(&store, Operation::Get { key }).await? {
            Ok(Answer::Value(value)) => value,
            Ok(_) => return Ok(Err(Told::nonsense())),
            Err(told) => return Ok(Err(told)),
        };
        self.table.get_mut(cas)?.seen = value.as_deref().map(Digest::of);
        Ok(Ok(value))
    }

    /// Exchanges the value, if it is still what was seen; else gives a new handle on what is there.
    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Given<Option<Resource<Cas>>> {
        let Cas { store, key, seen } = self.table.delete(cas)?;
        let operation = Operation::Swap { key: key.clone(), expected: seen, value };
        Ok(match self.perform(&store, operation).await? {
            Ok(Answer::Done) => Ok(None),
            Ok(Answer::Changed(seen)) => Ok(Some(self.table.push(Cas { store, key, seen })?)),
            Ok(_) => Err(Told::nonsense()),
            Err(told) => Err(told),
        })
    }

    async fn ask(&mut self, bucket: &Resource<Bucket>, operation: Operation) -> Given<Answer> {
        let store = self.table.get(bucket)?.store.clone();
        self.perform(&store, operation).await
    }

    /// Counts what the guest sends, has it done, and counts what the guest gets before it is copied there.
    async fn perform(&mut self, store: &str, operation: Operation) -> Given<Answer> {
        self.meter.moving(sent(&operation))?;
        match self.opened.broker.keep(store, operation).await {
            Ok(performed) => {
                self.opened.usage.insert(store.to_owned(), performed.usage);
                self.meter.moving(brought(&performed.answer))?;
                Ok(Ok(performed.answer))
            }
            Err(Unkept { told, refusal }) => {
                if let Some(refusal) = refusal {
                    self.meter.refused(*refusal);
                }
                Ok(Err(told))
            }
        }
    }
}

/// How many bytes a guest sends with an operation.
pub(crate) fn sent(operation: &Operation) -> u64 {
    match operation {
        Operation::Open | Operation::Keys { .. } => 0,
        Operation::Get { key } | Operation::Exists { key } | Operation::Increment { key, .. } => bytes(key.len()),
        Operation::GetMany { keys } | Operation::Delete { keys } => keys.iter().map(|key| bytes(key.len())).sum(),
        Operation::Set { entries } => {
            entries.iter().map(|(key, value)| bytes(key.len()).saturating_add(bytes(value.len()))).sum()
        }
        Operation::Swap { key, value, .. } => bytes(key.len()).saturating_add(bytes(value.len())),
    }
}

/// How many bytes an answer brings it.
pub(crate) fn brought(answer: &Answer) -> u64 {
    match answer {
        Answer::Done | Answer::Exists(_) | Answer::Number(_) | Answer::Changed(_) => 0,
        Answer::Value(value) => value.as_ref().map_or(0, |value| bytes(value.len())),
        Answer::Keys { keys, .. } => keys.iter().map(|key| bytes(key.len())).sum(),
        Answer::Values(values) => values.iter().flatten().map(|value| bytes(value.len())).sum(),
    }
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

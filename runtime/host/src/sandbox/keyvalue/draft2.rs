//! `wasi:keyvalue@0.2.0-draft2`: numbers of either sign, cursors as texts, and values that are exchanged if nobody changed them
//! meanwhile.

use skillhall_core::stores::Number;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource};

use super::{Bucket, Cas, Given, HasStores, Told, View, view};
use crate::sandbox::Guest;
use generated::wasi::keyvalue;

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package wasi:keyvalue@0.2.0-draft2;
            interface store {
                variant error { no-such-store, access-denied, other(string) }
                record key-response { keys: list<string>, cursor: option<string> }
                open: func(identifier: string) -> result<bucket, error>;
                resource bucket {
                    get: func(key: string) -> result<option<list<u8>>, error>;
                    set: func(key: string, value: list<u8>) -> result<_, error>;
                    delete: func(key: string) -> result<_, error>;
                    exists: func(key: string) -> result<bool, error>;
                    list-keys: func(cursor: option<string>) -> result<key-response, error>;
                }
            }
            interface atomics {
                use store.{bucket, error};
                resource cas {
                    new: static func(bucket: borrow<bucket>, key: string) -> result<cas, error>;
                    current: func() -> result<option<list<u8>>, error>;
                }
                variant cas-error { store-error(error), cas-failed(cas) }
                increment: func(bucket: borrow<bucket>, key: string, delta: s64) -> result<s64, error>;
                swap: func(cas: cas, value: list<u8>) -> result<_, cas-error>;
            }
            interface batch {
                use store.{bucket, error};
                get-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<list<tuple<string, option<list<u8>>>>, error>;
                set-many: func(bucket: borrow<bucket>, key-values: list<tuple<string, list<u8>>>) -> result<_, error>;
                delete-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<_, error>;
            }
            world imports { import store; import atomics; import batch; }
        ",
        imports: { default: async | trappable },
        with: {
            "wasi:keyvalue/store.bucket": crate::sandbox::keyvalue::Bucket,
            "wasi:keyvalue/atomics.cas": crate::sandbox::keyvalue::Cas,
        },
    });
}

pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    keyvalue::store::add_to_linker::<Guest, HasStores>(linker, view)?;
    keyvalue::atomics::add_to_linker::<Guest, HasStores>(linker, view)?;
    keyvalue::batch::add_to_linker::<Guest, HasStores>(linker, view)
}

type Answered<T> = Result<std::result::Result<T, keyvalue::store::Error>>;

fn answer<T>(given: Given<T>) -> Answered<T> {
    Ok(given?.map_err(error))
}

fn error(told: Told) -> keyvalue::store::Error {
    match told {
        Told::AccessDenied => keyvalue::store::Error::AccessDenied,
        Told::Other(text) => keyvalue::store::Error::Other(text),
    }
}

/// Where a page begins: behind the place that the last page named.
fn place(cursor: Option<String>) -> std::result::Result<u64, Told> {
    let Some(cursor) = cursor else { return Ok(0) };
    cursor.parse().map_err(|_| Told::Other("no-such-cursor: a cursor is what the last page gave".to_owned()))
}

impl keyvalue::store::Host for View<'_> {
    async fn open(&mut self, identifier: String) -> Answered<Resource<Bucket>> {
        answer(View::open(self, identifier).await)
    }
}

impl keyvalue::store::HostBucket for View<'_> {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Answered<Option<Vec<u8>>> {
        answer(View::get(self, &bucket, key).await)
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Answered<()> {
        answer(View::set(self, &bucket, vec![(key, value)]).await)
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Answered<()> {
        answer(View::delete(self, &bucket, vec![key]).await)
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Answered<bool> {
        answer(View::exists(self, &bucket, key).await)
    }

    async fn list_keys(&mut self, bucket: Resource<Bucket>, cursor: Option<String>) -> Answered<keyvalue::store::KeyResponse> {
        let after = match place(cursor) {
            Ok(after) => after,
            Err(told) => return Ok(Err(error(told))),
        };
        let page = answer(self.keys(&bucket, after).await)?;
        let cursor = |next: Option<u64>| next.map(|next| next.to_string());
        Ok(page.map(|(keys, next)| keyvalue::store::KeyResponse { keys, cursor: cursor(next) }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl keyvalue::atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Answered<i64> {
        let sum = View::increment(self, &bucket, key, Number::Signed(delta)).await?;
        answer(Ok(sum.and_then(|sum| if let Number::Signed(sum) = sum { Ok(sum) } else { Err(Told::nonsense()) })))
    }

    async fn swap(&mut self, cas: Resource<Cas>, value: Vec<u8>) -> Result<std::result::Result<(), keyvalue::atomics::CasError>> {
        Ok(match View::swap(self, cas, value).await? {
            Ok(None) => Ok(()),
            Ok(Some(cas)) => Err(keyvalue::atomics::CasError::CasFailed(cas)),
            Err(told) => Err(keyvalue::atomics::CasError::StoreError(error(told))),
        })
    }
}

impl keyvalue::atomics::HostCas for View<'_> {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Answered<Resource<Cas>> {
        answer(self.cas(&bucket, key).await)
    }

    async fn current(&mut self, cas: Resource<Cas>) -> Answered<Option<Vec<u8>>> {
        answer(View::current(self, &cas).await)
    }

    async fn drop(&mut self, cas: Resource<Cas>) -> Result<()> {
        self.table.delete(cas)?;
        Ok(())
    }
}

impl keyvalue::batch::Host for View<'_> {
    async fn get_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answered<Vec<(String, Option<Vec<u8>>)>> {
        let values = answer(View::get_many(self, &bucket, keys.clone()).await)?;
        Ok(values.map(|values| keys.into_iter().zip(values).collect()))
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, key_values: Vec<(String, Vec<u8>)>) -> Answered<()> {
        answer(View::set(self, &bucket, key_values).await)
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answered<()> {
        answer(View::delete(self, &bucket, keys).await)
    }
}

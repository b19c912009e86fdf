//! `wasi:keyvalue@0.2.0-draft`: numbers without a sign, cursors as numbers, and no exchange of values.

use skillhall_core::stores::Number;
use wasmtime::Result;
use wasmtime::component::{Linker, Resource};

use super::{Bucket, Given, HasStores, Told, View, view};
use crate::sandbox::Guest;
use generated::wasi::keyvalue;

mod generated {
    wasmtime::component::bindgen!({
        inline: "
            package wasi:keyvalue@0.2.0-draft;
            interface store {
                variant error { no-such-store, access-denied, other(string) }
                record key-response { keys: list<string>, cursor: option<u64> }
                open: func(identifier: string) -> result<bucket, error>;
                resource bucket {
                    get: func(key: string) -> result<option<list<u8>>, error>;
                    set: func(key: string, value: list<u8>) -> result<_, error>;
                    delete: func(key: string) -> result<_, error>;
                    exists: func(key: string) -> result<bool, error>;
                    list-keys: func(cursor: option<u64>) -> result<key-response, error>;
                }
            }
            interface atomics {
                use store.{bucket, error};
                increment: func(bucket: borrow<bucket>, key: string, delta: u64) -> result<u64, error>;
            }
            interface batch {
                use store.{bucket, error};
                get-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<list<option<tuple<string, list<u8>>>>, error>;
                set-many: func(bucket: borrow<bucket>, key-values: list<tuple<string, list<u8>>>) -> result<_, error>;
                delete-many: func(bucket: borrow<bucket>, keys: list<string>) -> result<_, error>;
            }
            world imports { import store; import atomics; import batch; }
        ",
        imports: { default: async | trappable },
        with: { "wasi:keyvalue/store.bucket": crate::sandbox::keyvalue::Bucket },
    });
}

pub(super) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    keyvalue::store::add_to_linker::<Guest, HasStores>(linker, view)?;
    keyvalue::atomics::add_to_linker::<Guest, HasStores>(linker, view)?;
    keyvalue::batch::add_to_linker::<Guest, HasStores>(linker, view)
}

type Answered<T> = Result<std::result::Result<T, keyvalue::store::Error>>;

fn answer<T>(given: Given<T>) -> Answered<T> {
    Ok(given?.map_err(|told| match told {
        Told::AccessDenied => keyvalue::store::Error::AccessDenied,
        Told::Other(text) => keyvalue::store::Error::Other(text),
    }))
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

    async fn list_keys(&mut self, bucket: Resource<Bucket>, cursor: Option<u64>) -> Answered<keyvalue::store::KeyResponse> {
        let page = answer(self.keys(&bucket, cursor.unwrap_or(0)).await)?;
        Ok(page.map(|(keys, cursor)| keyvalue::store::KeyResponse { keys, cursor }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl keyvalue::atomics::Host for View<'_> {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: u64) -> Answered<u64> {
        let sum = View::increment(self, &bucket, key, Number::Unsigned(delta)).await?;
        answer(Ok(sum.and_then(|sum| if let Number::Unsigned(sum) = sum { Ok(sum) } else { Err(Told::nonsense()) })))
    }
}

impl keyvalue::batch::Host for View<'_> {
    async fn get_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answered<Vec<Option<(String, Vec<u8>)>>> {
        let values = answer(View::get_many(self, &bucket, keys.clone()).await)?;
        Ok(values.map(|values| keys.into_iter().zip(values).map(|(key, value)| Some((key, value?))).collect()))
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, key_values: Vec<(String, Vec<u8>)>) -> Answered<()> {
        answer(View::set(self, &bucket, key_values).await)
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answered<()> {
        answer(View::delete(self, &bucket, keys).await)
    }
}

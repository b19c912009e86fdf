//! One suite over every kind of store.

use std::sync::Arc;

use super::memory::MemoryStores;
use super::*;

const QUOTA: Quota = Quota { bytes: 1000, entries: 10 };

pub(super) fn id(organisation: &str, skill: &str, store: &str) -> StoreId {
    StoreId { organisation: organisation.parse().unwrap(), skill: skill.parse().unwrap(), store: store.to_owned() }
}

pub(super) fn cache() -> StoreId {
    id("acme", "org.acme/count", "cache")
}

pub(super) fn set(entries: &[(&str, &str)]) -> Operation {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), value.as_bytes().to_vec());
    Operation::Set { entries: entries.iter().map(own).collect() }
}

pub(super) fn get(key: &str) -> Operation {
    Operation::Get { key: key.to_owned() }
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn add(key: &str, by: Number) -> Operation {
    Operation::Increment { key: key.to_owned(), by }
}

fn value(text: &str) -> Answer {
    Answer::Value(Some(text.as_bytes().to_vec()))
}

/// Does it within the usual quota.
pub(super) fn ask(stores: &dyn Stores, operation: Operation) -> Result<Answer, StoreError> {
    stores.perform(&cache(), QUOTA, operation, &|| true).map(|performed| performed.answer)
}

fn usage(stores: &dyn Stores) -> (u64, u64) {
    let usage = stores.perform(&cache(), QUOTA, Operation::Open, &|| true).unwrap().usage;
    (usage.bytes, usage.entries)
}

/// Tries it on fresh stores of each kind.
fn each(test: impl Fn(Arc<dyn Stores>)) {
    test(Arc::new(MemoryStores::new()));
    #[cfg(feature = "sqlite")]
    {
        let folder = tempfile::tempdir().unwrap();
        test(Arc::new(sqlite::SqliteStores::at(&folder.path().join("keyvalue.db"))));
    }
}

#[test]
fn what_is_set_is_there_until_it_is_deleted() {
    each(|stores| {
        assert_eq!(ask(&*stores, get("a")), Ok(Answer::Value(None)));
        assert_eq!(usage(&*stores), (0, 0), "looking makes nothing");
        assert_eq!(ask(&*stores, set(&[("a", "1"), ("b\0ż", ""), ("", "x"), ("a", "22")])), Ok(Answer::Done));
        assert_eq!(ask(&*stores, get("a")), Ok(value("22")), "the last one counts");
        assert_eq!(ask(&*stores, get("b\0ż")), Ok(value("")));
        assert_eq!(ask(&*stores, get("b")), Ok(Answer::Value(None)));
        assert_eq!(usage(&*stores), (3 + 4 + 1, 3));
        assert_eq!(ask(&*stores, set(&[("a", "4444")])), Ok(Answer::Done));
        assert_eq!(usage(&*stores), (5 + 4 + 1, 3));
        let named = keys(&["b\0ż", "none", "a"]);
        let values = vec![Some(Vec::new()), None, Some(b"4444".to_vec())];
        assert_eq!(ask(&*stores, Operation::GetMany { keys: named.clone() }), Ok(Answer::Values(values)));
        assert_eq!(ask(&*stores, Operation::Exists { key: "a".into() }), Ok(Answer::Exists(true)));
        assert_eq!(ask(&*stores, Operation::Delete { keys: named }), Ok(Answer::Done));
        assert_eq!(ask(&*stores, Operation::Exists { key: "a".into() }), Ok(Answer::Exists(false)));
        assert_eq!(usage(&*stores), (1, 1));
    });
}

#[test]
fn nobody_sees_the_entries_of_another() {
    each(|stores| {
        ask(&*stores, set(&[("a", "1")])).unwrap();
        for other in [
            id("other", "org.acme/count", "cache"),
            id("acme", "org.acme/counter", "cache"),
            id("acme", "org.other/count", "cache"),
            id("acme", "org.acme/count", "cache2"),
        ] {
            let ask = |operation| stores.perform(&other, QUOTA, operation, &|| true).unwrap();
            assert_eq!(ask(get("a")).answer, Answer::Value(None), "{other:?}");
            assert_eq!(ask(Operation::Keys { after: 0 }).answer, Answer::Keys { keys: Vec::new(), next: None });
            ask(Operation::Delete { keys: keys(&["a"]) });
            assert_eq!(ask(set(&[("a", "2222")])).usage, Usage { bytes: 5, entries: 1 });
        }
        assert_eq!(ask(&*stores, get("a")), Ok(value("1")));
        assert_eq!(usage(&*stores), (2, 1));
    });
}

#[test]
fn a_store_holds_no_more_than_it_may() {
    each(|stores| {
        let over = Err(StoreError::OverQuota(QUOTA));
        let long = "x".repeat(999);
        assert_eq!(ask(&*stores, set(&[("k", &long)])), Ok(Answer::Done));
        assert_eq!(ask(&*stores, set(&[("k", &format!("{long}x"))])), over, "by one byte");
        assert_eq!(ask(&*stores, set(&[("", "")])), Ok(Answer::Done), "nothing takes no bytes");
        assert_eq!(ask(&*stores, set(&[("a", "")])), over, "a key counts");
        assert_eq!(ask(&*stores, set(&[("k", "small"), ("l", &long)])), over);
        assert_eq!(ask(&*stores, get("k")), Ok(value(&long)), "all or none");
        assert_eq!(ask(&*stores, set(&[("k", "")])), Ok(Answer::Done));
        let many: Vec<String> = (0..9).map(|number| number.to_string()).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|key| (key.as_str(), "")).collect();
        assert_eq!(ask(&*stores, set(&many)), over, "by one entry");
        assert_eq!(ask(&*stores, set(&many[1..])), Ok(Answer::Done));
        assert_eq!(ask(&*stores, add("n", Number::Signed(1))), over);
        assert_eq!(
            ask(&*stores, Operation::Swap { key: "n".into(), expected: None, value: Vec::new() }),
            Err(StoreError::OverQuota(QUOTA))
        );
        assert_eq!(usage(&*stores), (9, 10));

        // What may hold less now can still be emptied.
        let less = Quota { bytes: 3, entries: 3 };
        let ask_less = |operation| stores.perform(&cache(), less, operation, &|| true).map(|performed| performed.answer);
        assert_eq!(ask_less(set(&[("k", "longer")])), Err(StoreError::OverQuota(less)));
        assert_eq!(ask_less(set(&[("k", "")])), Ok(Answer::Done));
        assert_eq!(ask_less(Operation::Delete { keys: keys(&["k"]) }), Ok(Answer::Done));
        assert_eq!(usage(&*stores), (8, 9));
    });
}

#[test]
fn keys_values_and_batches_are_bounded() {
    each(|stores| {
        let roomy = Quota { bytes: u64::MAX, entries: u64::MAX };
        let ask = |operation| stores.perform(&cache(), roomy, operation, &|| true).map(|performed| performed.answer);
        let (key, big) = ("k".repeat(MAX_KEY_BYTES), "v".repeat(MAX_VALUE_BYTES));
        assert_eq!(ask(set(&[(&key, &big), ("b", &big)])), Ok(Answer::Done));
        let (long, bigger) = (format!("{key}k"), format!("{big}v"));
        for operation in [
            get(&long),
            set(&[("a", ""), (&long, "")]),
            Operation::Exists { key: long.clone() },
            Operation::Delete { keys: vec![long.clone()] },
            Operation::GetMany { keys: vec![long.clone()] },
            add(&long, Number::Unsigned(1)),
            Operation::Swap { key: long.clone(), expected: None, value: Vec::new() },
        ] {
            assert_eq!(ask(operation), Err(StoreError::Key));
        }
        assert_eq!(ask(set(&[("a", ""), ("c", &bigger)])), Err(StoreError::Value));
        assert_eq!(ask(Operation::Swap { key: "a".into(), expected: None, value: bigger.into_bytes() }), Err(StoreError::Value));
        assert_eq!(ask(get("a")), Ok(Answer::Value(None)));
        let many: Vec<String> = (0..=MAX_KEYS).map(|number| number.to_string()).collect();
        assert_eq!(ask(Operation::GetMany { keys: many.clone() }), Err(StoreError::Batch));
        assert_eq!(ask(Operation::Delete { keys: many.clone() }), Err(StoreError::Batch));
        let entries = many.into_iter().map(|key| (key, Vec::new())).collect();
        assert_eq!(ask(Operation::Set { entries }), Err(StoreError::Batch));
        // Two values of the most bytes are brought at once, and three are not.
        let named = |count| Operation::GetMany { keys: vec!["b".to_owned(); count] };
        assert!(ask(named(2)).is_ok());
        assert_eq!(ask(named(3)), Err(StoreError::Batch));
    });
}

#[test]
fn keys_are_listed_in_pages_while_others_come_and_go() {
    each(|stores| {
        let roomy = Quota { bytes: 1 << 20, entries: 10_000 };
        let ask = |operation| stores.perform(&cache(), roomy, operation, &|| true).map(|performed| performed.answer).unwrap();
        let name = |number: usize| format!("{:04}", 9999 - number);
        for start in (0..2 * MAX_KEYS + 10).step_by(MAX_KEYS) {
            let numbers = start..(start + MAX_KEYS).min(2 * MAX_KEYS + 10);
            ask(Operation::Set { entries: numbers.map(|number| (name(number), vec![1])).rev().collect() });
        }
        let (mut seen, mut after, mut pages) = (Vec::new(), 0, 0);
        loop {
            let Answer::Keys { keys, next } = ask(Operation::Keys { after }) else { panic!() };
            assert!(keys.len() <= MAX_KEYS);
            // What was listed is deleted, and something new is set: neither makes the rest be skipped or told twice.
            ask(Operation::Delete { keys: keys.clone() });
            ask(set(&[(&format!("new {pages}"), "")]));
            seen.extend(keys);
            pages += 1;
            match next {
                Some(next) => after = next,
                None => break,
            }
        }
        assert_eq!(pages, 3);
        let new = seen.iter().filter(|key| key.starts_with("new")).count();
        assert_eq!((seen.len(), new), (2 * MAX_KEYS + 10 + 2, 2));
        let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len());
        for nowhere in [u64::MAX, 1 << 63, 1 << 40] {
            assert_eq!(ask(Operation::Keys { after: nowhere }), Answer::Keys { keys: Vec::new(), next: None });
        }
    });
}

#[test]
fn numbers_are_added_within_their_bounds() {
    use Number::{Signed, Unsigned};
    each(|stores| {
        assert_eq!(ask(&*stores, add("n", Unsigned(u64::MAX - 1))), Ok(Answer::Number(Unsigned(u64::MAX - 1))));
        assert_eq!(ask(&*stores, add("n", Unsigned(1))), Ok(Answer::Number(Unsigned(u64::MAX))));
        assert_eq!(ask(&*stores, get("n")), Ok(value("18446744073709551615")));
        assert_eq!(ask(&*stores, add("n", Unsigned(1))), Err(StoreError::Number));
        assert_eq!(ask(&*stores, add("n", Signed(0))), Err(StoreError::Number));
        assert_eq!(ask(&*stores, add("m", Signed(-5))), Ok(Answer::Number(Signed(-5))));
        assert_eq!(ask(&*stores, add("m", Signed(i64::MIN))), Err(StoreError::Number));
        assert_eq!(ask(&*stores, get("m")), Ok(value("-5")));
        ask(&*stores, set(&[("text", "seven"), ("bytes", "")])).unwrap();
        assert_eq!(ask(&*stores, add("text", Signed(1))), Err(StoreError::Number));
        assert_eq!(ask(&*stores, add("bytes", Unsigned(1))), Err(StoreError::Number));
    });
}

#[test]
fn a_swap_sets_only_what_is_as_expected() {
    each(|stores| {
        let swap = |expected: Option<&str>, value: &str| {
            let expected = expected.map(|text| Digest::of(text.as_bytes()));
            ask(&*stores, Operation::Swap { key: "k".into(), expected, value: value.as_bytes().to_vec() })
        };
        assert_eq!(swap(Some("a"), "b"), Ok(Answer::Changed(None)));
        assert_eq!(swap(None, "a"), Ok(Answer::Done));
        assert_eq!(swap(None, "b"), Ok(Answer::Changed(Some(Digest::of(b"a")))));
        assert_eq!(swap(Some("a"), "b"), Ok(Answer::Done));
        assert_eq!(ask(&*stores, get("k")), Ok(value("b")));
    });
}

#[test]
fn what_nobody_waits_for_is_not_done() {
    each(|stores| {
        ask(&*stores, set(&[("a", "1")])).unwrap();
        let given_up = |operation| stores.perform(&cache(), QUOTA, operation, &|| false);
        assert_eq!(given_up(set(&[("a", "2")])), Err(StoreError::GivenUp));
        assert_eq!(given_up(Operation::Delete { keys: keys(&["a"]) }), Err(StoreError::GivenUp));
        assert_eq!(ask(&*stores, get("a")), Ok(value("1")));
        assert_eq!(usage(&*stores), (2, 1));
    });
}

#[test]
fn many_threads_lose_nothing_and_stay_within_the_quota() {
    each(|stores| {
        let threads: Vec<_> = (0..4)
            .map(|thread: u32| {
                let stores = Arc::clone(&stores);
                std::thread::spawn(move || {
                    for turn in 0..25 {
                        ask(&*stores, add("n", Number::Unsigned(1))).unwrap();
                        let _ = ask(&*stores, set(&[(&format!("{thread} {turn}"), "x")]));
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(ask(&*stores, get("n")), Ok(value("100")));
        assert_eq!(usage(&*stores).1, QUOTA.entries);
    });
}

#[test]
fn the_owner_sees_what_is_kept_and_deletes_it() {
    each(|stores| {
        let other = id("elsewhere", "org.acme/count", "cache");
        let foreign = id("acme", "org.acme/another", "cache");
        let skill = cache().skill;
        assert_eq!((stores.list(&skill), stores.clear(&cache())), (Ok(Vec::new()), Ok(Usage::default())));
        for id in [&cache(), &other, &foreign] {
            stores.perform(id, QUOTA, set(&[("a", "1"), ("b", "22")]), &|| true).unwrap();
        }
        let held = Usage { bytes: 5, entries: 2 };
        let kept = |organisation: &str| Kept { organisation: organisation.parse().unwrap(), store: "cache".into(), usage: held };
        assert_eq!(stores.list(&skill), Ok(vec![kept("acme"), kept("elsewhere")]));
        assert_eq!(stores.clear(&cache()), Ok(held));
        assert_eq!(ask(&*stores, get("a")), Ok(Answer::Value(None)));
        assert_eq!((usage(&*stores), stores.list(&skill)), ((0, 0), Ok(vec![kept("elsewhere")])));
        assert_eq!(stores.list(&foreign.skill), Ok(vec![kept("acme")]), "no other skill's");
        // A reader that was half way through the keys does not take new ones for old ones.
        assert_eq!(ask(&*stores, set(&[("c", "1")])), Ok(Answer::Done));
        let after = |after| ask(&*stores, Operation::Keys { after }).unwrap();
        assert_eq!(after(2), Answer::Keys { keys: keys(&["c"]), next: None });
    });
}

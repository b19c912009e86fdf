//! Compiled code on disk: used when it is authentic, refused and compiled again when it is not.

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use tempfile::TempDir;

use super::super::{CacheConfig, CacheKey, PrepareEvent, Rejection};
use super::*;

fn dir(folder: &TempDir) -> Dir {
    Dir::open_ambient_dir(folder.path(), ambient_authority()).unwrap()
}

fn with_cache(folder: &TempDir, key: u8) -> Engines {
    let cache = Some(CacheConfig { dir: dir(folder), key: CacheKey::new([key; 32]) });
    Engines::new(EngineConfig { cache, ..EngineConfig::default() }).unwrap()
}

fn answer(number: u32) -> Arc<[u8]> {
    bytes(&format!(
        r#"(component
        (core module $m (func (export "run") (result i32) (i32.const {number})))
        (core instance $i (instantiate $m))
        (func (export "run") (result u32) (canon lift (core func $i "run"))))"#
    ))
}

/// Prepares and runs; gives what happened and the answer.
fn prepare(engines: &Engines, component: &Arc<[u8]>, fuel: bool) -> (Vec<PrepareEvent>, Value) {
    let mut events = Vec::new();
    let prepared = engines.prepare(component, Digest::of(component), fuel, &mut |event| events.push(event)).unwrap();
    let limits = Limits { fuel: fuel.then_some(1_000_000), ..limits() };
    let order = Order {
        prepared,
        export: "run".to_owned(),
        input: json!({}),
        limits,
        links: SandboxLinks::default(),
        given: Given::default(),
        broker: Arc::new(DenyAll),
        reserved: Arc::new(Reserved::nothing()),
        assets: None,
        replay: None,
    };
    (events, execute(order).end.unwrap())
}

fn loaded(events: &[PrepareEvent]) -> bool {
    matches!(events, [PrepareEvent::Loaded(_)])
}

fn compiled(events: &[PrepareEvent]) -> bool {
    matches!(events, [PrepareEvent::Compiling, PrepareEvent::Compiled(_)])
}

fn rejected(events: &[PrepareEvent]) -> Option<Rejection> {
    match events {
        [PrepareEvent::CacheRejected(why), PrepareEvent::Compiling, PrepareEvent::Compiled(_)] => Some(why.clone()),
        _ => None,
    }
}

fn files(folder: &TempDir) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn code_is_compiled_once_and_then_loaded() {
    let (folder, component) = (TempDir::new().unwrap(), answer(7));
    let first = with_cache(&folder, 1);
    let (events, value) = prepare(&first, &component, false);
    assert!(compiled(&events) && value == json!(7), "{events:?}");
    let (events, value) = prepare(&first, &component, false);
    assert!(events.is_empty() && value == json!(7), "{events:?}");

    let again = with_cache(&folder, 1);
    let (events, value) = prepare(&again, &component, false);
    assert!(loaded(&events) && value == json!(7), "{events:?}");
    // Code with fuel is other code.
    let (events, value) = prepare(&again, &component, true);
    assert!(compiled(&events) && value == json!(7), "{events:?}");
    assert_eq!(files(&folder).len(), 2);
}

#[test]
fn any_changed_bit_is_refused() {
    let (folder, component) = (TempDir::new().unwrap(), answer(8));
    prepare(&with_cache(&folder, 1), &component, false);
    let path = files(&folder).remove(0);
    let good = std::fs::read(&path).unwrap();
    // Every byte of the header and of the MAC, and a sample of the code between.
    let code = (0..80).chain((80..good.len() - 32).step_by(997)).chain(good.len() - 32..good.len());
    for (turn, at) in code.enumerate() {
        let mut bad = good.clone();
        bad[at] ^= 1 << (turn % 8);
        std::fs::write(&path, &bad).unwrap();
        let cache = with_cache_only(&folder, 1);
        let why = cache(&component).unwrap_err();
        assert!(matches!(why, Rejection::WrongMac | Rejection::Malformed), "{at}: {why}");
    }
    for length in [0, 1, 79, 111, 112, good.len() - 1] {
        std::fs::write(&path, &good[..length]).unwrap();
        assert!(with_cache_only(&folder, 1)(&component).is_err(), "{length}");
    }
    // It is compiled again, and the good file stands there again.
    let (events, value) = prepare(&with_cache(&folder, 1), &component, false);
    assert!(rejected(&events).is_some() && value == json!(8));
    assert!(loaded(&prepare(&with_cache(&folder, 1), &component, false).0));
}

/// Asks only the cache, without the compiling that follows a refusal.
fn with_cache_only(
    folder: &TempDir,
    key: u8,
) -> impl Fn(&Arc<[u8]>) -> Result<Option<wasmtime::component::Component>, Rejection> {
    use super::super::cache::Cache;
    let cache = Cache::new(CacheConfig { dir: dir(folder), key: CacheKey::new([key; 32]) });
    move |component| {
        let prepared = engines().prepare(component, Digest::of(component), false, &mut |_| {}).unwrap();
        let powered = &prepared.powered;
        Ok(cache.load(&powered.engine, powered.compatibility, Digest::of(component))?.map(|loaded| loaded.component))
    }
}

#[test]
fn a_file_under_another_key_is_refused() {
    let (folder, component) = (TempDir::new().unwrap(), answer(9));
    prepare(&with_cache(&folder, 1), &component, false);
    let (events, value) = prepare(&with_cache(&folder, 2), &component, false);
    assert_eq!((rejected(&events), value), (Some(Rejection::WrongMac), json!(9)));
}

#[test]
fn a_file_in_anothers_place_is_refused() {
    let folder = TempDir::new().unwrap();
    let (one, two) = (answer(10), answer(11));
    prepare(&with_cache(&folder, 1), &one, false);
    let first = files(&folder).remove(0);
    prepare(&with_cache(&folder, 1), &two, false);
    let second = files(&folder).into_iter().find(|path| *path != first).unwrap();
    std::fs::copy(&first, &second).unwrap();
    let (events, value) = prepare(&with_cache(&folder, 1), &two, false);
    assert_eq!((rejected(&events), value), (Some(Rejection::Misplaced), json!(11)));
}

#[test]
fn links_and_folders_in_a_files_place_are_refused() {
    let (folder, component) = (TempDir::new().unwrap(), answer(12));
    prepare(&with_cache(&folder, 1), &component, false);
    let path = files(&folder).remove(0);
    let elsewhere = folder.path().join("elsewhere");
    std::fs::rename(&path, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let (events, value) = prepare(&with_cache(&folder, 1), &component, false);
    assert!(matches!(rejected(&events), Some(Rejection::Unreadable(_))), "{events:?}");
    assert_eq!(value, json!(12));
}

#[test]
fn a_cache_that_cannot_be_written_is_no_reason_not_to_run() {
    let (folder, component) = (TempDir::new().unwrap(), answer(13));
    let engines = with_cache(&folder, 1);
    std::fs::remove_dir(folder.path()).unwrap();
    let (events, value) = prepare(&engines, &component, false);
    assert!(events.iter().any(|event| matches!(event, PrepareEvent::NotKept(_))), "{events:?}");
    assert_eq!(value, json!(13));
}

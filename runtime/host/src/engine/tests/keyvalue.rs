//! What a guest keeps from one call to the next, and what it cannot reach.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use skillhall_core::capability::{Asks, Grants, Policy, narrow};
use skillhall_core::stores::memory::MemoryStores;
use skillhall_core::stores::{Operation, Performed, Quota, StoreError, StoreId, Stores};

use super::*;
use crate::sandbox::{Broker, Link, LocalPowers, Powers as _, Reason};

/// One of the two drafts that are linked.
#[derive(Clone, Copy, Debug)]
struct Draft {
    version: &'static str,
    cursor: &'static str,
    flat_cursor: &'static str,
    number: &'static str,
    values: &'static str,
}

const DRAFT: Draft = Draft {
    version: "0.2.0-draft",
    cursor: "u64",
    flat_cursor: "i64",
    number: "u64",
    values: "(list (option (tuple string (list u8))))",
};
const DRAFT2: Draft = Draft {
    version: "0.2.0-draft2",
    cursor: "string",
    flat_cursor: "i32 i32",
    number: "s64",
    values: "(list (tuple string (option (list u8))))",
};

/// A function of the interfaces, which the guest exports with the store's name before its parameters.
struct Function {
    interface: &'static str,
    name: &'static str,
    export: &'static str,
    parameters: Vec<(&'static str, String)>,
    flat: String,
    result: String,
}

fn functions(draft: Draft) -> Vec<Function> {
    let method = |name, export, parameters: &[(&'static str, &str)], flat: &str, result: &str| Function {
        interface: "store",
        name,
        export,
        parameters: parameters.iter().map(|(name, ty)| (*name, (*ty).to_owned())).collect(),
        flat: flat.to_owned(),
        result: result.to_owned(),
    };
    let key = ("key", "string");
    let value = ("value", "(list u8)");
    let (cursor, flat_cursor) = (format!("(option {})", draft.cursor), format!("i32 {}", draft.flat_cursor));
    let mut functions = vec![
        method("[method]bucket.get", "get", &[key], "i32 i32", "(result (option (list u8)) (error $error))"),
        method("[method]bucket.set", "set", &[key, value], "i32 i32 i32 i32", "(result (error $error))"),
        method("[method]bucket.delete", "delete", &[key], "i32 i32", "(result (error $error))"),
        method("[method]bucket.exists", "exists", &[key], "i32 i32", "(result bool (error $error))"),
        method("[method]bucket.list-keys", "list", &[("cursor", &cursor)], &flat_cursor, "(result $response (error $error))"),
    ];
    let number = format!("(result {} (error $error))", draft.number);
    let values = format!("(result {} (error $error))", draft.values);
    let (keys, pairs) = (("keys", "(list string)"), ("key-values", "(list (tuple string (list u8)))"));
    for (interface, function) in [
        ("atomics", method("increment", "increment", &[key, ("delta", draft.number)], "i32 i32 i64", &number)),
        ("batch", method("get-many", "get-many", &[keys], "i32 i32", &values)),
        ("batch", method("set-many", "set-many", &[pairs], "i32 i32", "(result (error $error))")),
        ("batch", method("delete-many", "delete-many", &[keys], "i32 i32", "(result (error $error))")),
    ] {
        functions.push(Function { interface, ..function });
    }
    functions
}

/// Opens the store that it is told, does one thing with it, and gives back what it was given. `flood` asks again and again,
/// `leak` opens again and again, `count` adds one again and again.
fn guest(draft: Draft) -> String {
    let functions = functions(draft);
    let declared = |interface: &str| -> String {
        let of = functions.iter().filter(|function| function.interface == interface);
        of.map(|function| {
            let own = if interface == "store" { "self" } else { "bucket" };
            let parameters: String = function.parameters.iter().map(|(name, ty)| format!(" (param \"{name}\" {ty})")).collect();
            let Function { name, result, .. } = function;
            format!("(export \"{name}\" (func (param \"{own}\" (borrow $bucket)){parameters} (result {result})))\n")
        })
        .collect()
    };
    let mut lowered = String::new();
    let mut given = String::new();
    let mut imported = String::new();
    let mut bodies = String::new();
    let mut lifted = String::new();
    for Function { interface, name, export, parameters, flat, result } in &functions {
        lowered += &format!(
            "(core func ${export} (canon lower (func ${interface} \"{name}\") \
             (memory $memory \"memory\") (realloc (func $memory \"realloc\"))))\n"
        );
        given += &format!("(export \"{export}\" (func ${export}))\n");
        imported += &format!("(import \"host\" \"{export}\" (func ${export} (param i32 {flat} i32)))\n");
        let arguments: String =
            (0..flat.split(' ').count()).map(|index| format!("(local.get {})", index + 2)).collect::<Vec<_>>().join(" ");
        bodies += &format!(
            "(func (export \"{export}\") (param i32 i32 {flat}) (result i32)
                (call $open (local.get 0) (local.get 1) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (return (i32.const 16))))
                (call ${export} (i32.load (i32.const 20)) {arguments} (i32.const 64))
                (call $drop (i32.load (i32.const 20)))
                (i32.const 64))\n"
        );
        let parameters: String = parameters.iter().map(|(name, ty)| format!(" (param \"{name}\" {ty})")).collect();
        lifted += &format!(
            "(func (export \"{export}\") (param \"store\" string){parameters} (result {result})
                (canon lift (core func $i \"{export}\") (memory $memory \"memory\") (realloc (func $memory \"realloc\"))))\n"
        );
    }
    let Draft { version, cursor, .. } = draft;
    let (store, atomics, batch) = (declared("store"), declared("atomics"), declared("batch"));
    format!(
        r#"(component
        (import "wasi:keyvalue/store@{version}" (instance $store
            (export "bucket" (type $bucket (sub resource)))
            (type $e (variant (case "no-such-store") (case "access-denied") (case "other" string)))
            (export "error" (type $error (eq $e)))
            (type $r (record (field "keys" (list string)) (field "cursor" (option {cursor}))))
            (export "key-response" (type $response (eq $r)))
            (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))
            {store}))
        (alias export $store "bucket" (type $bucket))
        (alias export $store "error" (type $error))
        (alias export $store "key-response" (type $response))
        (import "wasi:keyvalue/atomics@{version}" (instance $atomics {atomics}))
        (import "wasi:keyvalue/batch@{version}" (instance $batch {batch}))
        (core module $memory (memory (export "memory") 64)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3)))))
        (core instance $memory (instantiate $memory))
        (core func $open (canon lower (func $store "open") (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core func $drop (canon resource.drop $bucket))
        {lowered}
        (core module $m
            (import "host" "open" (func $open (param i32 i32 i32)))
            (import "host" "drop" (func $drop (param i32)))
            {imported}
            (import "memory" "memory" (memory 1))
            {bodies}
            (func (export "again") (param i32 i32 i32 i32 i32 i32)
                (call $open (local.get 0) (local.get 1) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then unreachable))
                (loop $more
                    (if (i32.eqz (local.get 5))
                        (then (call $exists (i32.load (i32.const 20)) (local.get 2) (local.get 3) (i32.const 64))))
                    (if (i32.eq (local.get 5) (i32.const 1))
                        (then (call $increment
                            (i32.load (i32.const 20)) (local.get 2) (local.get 3) (i64.const 1) (i32.const 64))))
                    (if (i32.eq (local.get 5) (i32.const 2))
                        (then (call $open (local.get 0) (local.get 1) (i32.const 16))))
                    (if (i32.eq (local.get 5) (i32.const 3))
                        (then (call $set
                            (i32.load (i32.const 20)) (local.get 2) (local.get 3) (i32.const 0) (i32.const 65536) (i32.const 64))))
                    (local.set 4 (i32.sub (local.get 4) (i32.const 1)))
                    (br_if $more (i32.gt_s (local.get 4) (i32.const 0))))))
        (core instance $i (instantiate $m
            (with "host" (instance (export "open" (func $open)) (export "drop" (func $drop)) {given}))
            (with "memory" (instance $memory))))
        {lifted}
        (func (export "again") (param "store" string) (param "key" string) (param "times" u32) (param "what" u32)
            (canon lift (core func $i "again") (memory $memory "memory") (realloc (func $memory "realloc")))))"#
    )
}

pub(crate) const EXISTS: u32 = 0;
pub(crate) const COUNT: u32 = 1;
const OPEN: u32 = 2;
pub(crate) const SET: u32 = 3;

fn grants(organisation: &str, skill: &str, keyvalue: &Value) -> Grants {
    let names: Vec<Value> = keyvalue.as_array().unwrap().iter().map(|grant| grant["store"].clone()).collect();
    let asks: Asks = serde_json::from_value(json!({ "keyvalue": names })).unwrap();
    let policy: Policy = serde_json::from_value(json!({ "keyvalue": keyvalue })).unwrap();
    narrow(&asks, &policy).unwrap().held_by(&organisation.parse().unwrap(), &skill.parse().unwrap())
}

fn cache() -> Grants {
    grants("acme", "org.acme/count", &json!([{"store": "cache"}]))
}

fn stores() -> Arc<dyn Stores> {
    Arc::new(MemoryStores::new())
}

fn kept(draft: Draft, stores: &Arc<dyn Stores>, grants: &Grants, export: &str, input: Value, limits: Limits) -> Order {
    let links = SandboxLinks { keyvalue: Link::Granted, ..SandboxLinks::default() };
    let broker = LocalPowers::default().with_stores(stores).unwrap().broker(grants);
    Order { links, given: Given::from(grants), broker, ..order(&guest(draft), export, input, limits) }
}

/// Does one thing with the store `cache`.
fn ask(draft: Draft, stores: &Arc<dyn Stores>, grants: &Grants, export: &str, mut input: Value) -> Outcome {
    input["store"] = json!("cache");
    execute(kept(draft, stores, grants, export, input, limits()))
}

fn told(outcome: &Outcome) -> Value {
    let failure = outcome.end.clone().unwrap_err();
    assert_eq!(failure.code, FailureCode::Skill, "{failure:?}");
    *failure.error.unwrap()
}

#[test]
fn the_next_call_finds_what_was_kept() {
    for (draft, end, nowhere) in [(DRAFT, json!("0"), json!("99")), (DRAFT2, json!("0"), json!("99"))] {
        let (stores, grants) = (stores(), cache());
        let ask = |export: &str, input: Value| {
            let outcome = ask(draft, &stores, &grants, export, input);
            assert!(outcome.refusals.is_empty(), "{:?}", outcome.refusals);
            outcome.end.unwrap_or_else(|failure| panic!("{draft:?} {export}: {failure:?}"))
        };
        assert_eq!(ask("get", json!({"key": "a"})), Value::Null);
        ask("set", json!({"key": "a", "value": "eno="}));
        assert_eq!(ask("get", json!({"key": "a"})), json!("eno="));
        assert_eq!(ask("exists", json!({"key": "a"})), json!(true));
        ask("set-many", json!({"key-values": [["b", "YQ=="], ["a", ""]]}));
        assert_eq!(ask("list", json!({"cursor": null})), json!({"keys": ["a", "b"], "cursor": null}));
        assert_eq!(ask("list", json!({"cursor": end}))["keys"], json!(["a", "b"]));
        assert_eq!(ask("list", json!({"cursor": nowhere}))["keys"], json!([]));
        let many = ask("get-many", json!({"keys": ["b", "none", "a"]}));
        let none = if draft.version == "0.2.0-draft" { Value::Null } else { json!(["none", null]) };
        assert_eq!(many, json!([["b", "YQ=="], none, ["a", ""]]), "{draft:?}");
        assert_eq!(ask("increment", json!({"key": "n", "delta": 41})), json!(41));
        assert_eq!(ask("increment", json!({"key": "n", "delta": 1})), json!(42));
        assert_eq!(ask("get", json!({"key": "n"})), json!("NDI="), "in decimal digits");
        ask("delete", json!({"key": "a"}));
        ask("delete-many", json!({"keys": ["b", "none"]}));
        assert_eq!(ask("exists", json!({"key": "a"})), json!(false));
        assert_eq!(ask("list", json!({"cursor": null}))["keys"], json!(["n"]));
    }
}

#[test]
fn both_drafts_are_one_store() {
    let (stores, grants) = (stores(), cache());
    ask(DRAFT, &stores, &grants, "set", json!({"key": "a", "value": "eno="})).end.unwrap();
    assert_eq!(ask(DRAFT2, &stores, &grants, "get", json!({"key": "a"})).end, Ok(json!("eno=")));
}

#[test]
fn pages_are_bounded_and_a_cursor_leads_on() {
    let (stores, grants) = (stores(), cache());
    for start in [0, 200, 400] {
        let pairs: Vec<Value> = (start..start + 200).map(|number| json!([number.to_string(), ""])).collect();
        ask(DRAFT2, &stores, &grants, "set-many", json!({"key-values": pairs})).end.unwrap();
    }
    for draft in [DRAFT, DRAFT2] {
        let (mut cursor, mut seen) = (Value::Null, Vec::new());
        loop {
            let page = ask(draft, &stores, &grants, "list", json!({"cursor": cursor})).end.unwrap();
            seen.extend(page["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().parse::<u32>().unwrap()));
            cursor = page["cursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(seen.len(), 600, "{draft:?}");
        seen.sort_unstable();
        assert_eq!(seen, (0..600).collect::<Vec<_>>(), "{draft:?}");
    }
    let told = told(&ask(DRAFT2, &stores, &grants, "list", json!({"cursor": "made up"})));
    assert!(told["other"].as_str().unwrap_or_default().starts_with("no-such-cursor: "), "{told}");
}

#[test]
fn a_store_that_is_not_granted_is_refused() {
    let stores = stores();
    for store in ["other", "", "Cache", "cache ", "../cache"] {
        let outcome = execute(kept(DRAFT2, &stores, &cache(), "get", json!({"store": store, "key": "a"}), limits()));
        assert_eq!(told(&outcome), json!("access-denied"), "{store}");
        let [refusal] = outcome.refusals.as_slice() else { panic!("{:?}", outcome.refusals) };
        assert_eq!((refusal.capability.as_str(), refusal.reason, refusal.asked.as_str()), ("keyvalue", Reason::Store, store));
        assert!(refusal.message.contains("granted are: cache") && refusal.hint.contains("--keyvalue NAME"), "{refusal:?}");
        assert_eq!(outcome.resources.keyvalue_bytes, None);
    }
    // Without a grant nothing is linked, and a broker of no stores has none.
    let order = kept(DRAFT2, &stores, &cache(), "get", json!({"store": "cache", "key": "a"}), limits());
    fails(&execute(Order { links: SandboxLinks::default(), ..order.clone() }), FailureCode::Link);
    let nobody = grants("acme", "org.acme/count", &json!([{"store": "cache"}]));
    let without: Arc<dyn Broker> = LocalPowers::default().broker(&nobody);
    for broker in [Arc::new(DenyAll) as Arc<dyn Broker>, without] {
        let outcome = execute(Order { broker, ..order.clone() });
        assert_eq!(told(&outcome), json!("access-denied"));
        assert_eq!(outcome.refusals[0].reason, Reason::Host);
    }
}

#[test]
fn grants_that_are_for_nobody_reach_no_store() {
    let asks: Asks = serde_json::from_value(json!({"keyvalue": ["cache"]})).unwrap();
    let policy: Policy = serde_json::from_value(json!({"keyvalue": [{"store": "cache"}]})).unwrap();
    let outcome = ask(DRAFT2, &stores(), &narrow(&asks, &policy).unwrap(), "get", json!({"key": "a"}));
    assert_eq!((told(&outcome), outcome.refusals[0].reason), (json!("access-denied"), Reason::Host));
}

#[test]
fn another_organisation_and_another_skill_see_nothing_of_it() {
    let stores = stores();
    let of = |organisation, skill| grants(organisation, skill, &json!([{"store": "cache"}]));
    ask(DRAFT2, &stores, &of("acme", "org.acme/count"), "set", json!({"key": "a", "value": "eno="})).end.unwrap();
    for (organisation, skill) in [("other", "org.acme/count"), ("acme", "org.acme/other"), ("acme", "org.other/count")] {
        let other = of(organisation, skill);
        let see = |export, input| ask(DRAFT2, &stores, &other, export, input).end.unwrap();
        assert_eq!(see("get", json!({"key": "a"})), Value::Null);
        assert_eq!(see("list", json!({"cursor": null}))["keys"], json!([]));
        see("delete", json!({"key": "a"}));
        see("set", json!({"key": "a", "value": "AAAA"}));
    }
    let own = ask(DRAFT2, &stores, &of("acme", "org.acme/count"), "get", json!({"key": "a"}));
    assert_eq!(own.end, Ok(json!("eno=")));
}

#[test]
fn a_full_store_takes_no_more_and_says_so() {
    for (size, second) in [(json!({"store": "cache", "bytes": 10}), "b"), (json!({"store": "cache", "entries": 1}), "b")] {
        let (stores, grants) = (stores(), grants("acme", "org.acme/count", &json!([size])));
        // Nine bytes with its key.
        let first = ask(DRAFT2, &stores, &grants, "set", json!({"key": "a", "value": "MTIzNDU2Nzg="}));
        assert_eq!(first.end, Ok(Value::Null));
        let held = (first.resources.keyvalue_bytes.unwrap(), first.resources.keyvalue_entries.unwrap());
        assert_eq!((held.0.used, held.1.used), (9, 1));
        assert_eq!(held.0.allowed, size["bytes"].as_u64().unwrap_or(1 << 20));
        let outcome = ask(DRAFT2, &stores, &grants, "set", json!({"key": second, "value": "MTI="}));
        let told = told(&outcome);
        assert!(told["other"].as_str().unwrap_or_default().starts_with("over-quota: "), "{told}");
        let refusal = &outcome.refusals[0];
        assert_eq!((refusal.reason, refusal.asked.as_str()), (Reason::Quota, "cache"));
        assert!(refusal.hint.contains("hall grant NAMESPACE/NAME --keyvalue cache:"), "{}", refusal.hint);
        assert_eq!(ask(DRAFT2, &stores, &grants, "get", json!({"key": second})).end, Ok(Value::Null));
        assert_eq!(ask(DRAFT2, &stores, &grants, "get", json!({"key": "a"})).end, Ok(json!("MTIzNDU2Nzg=")));
    }
}

#[test]
fn what_is_too_long_is_told_and_does_not_stop_the_guest() {
    let (stores, grants) = (stores(), cache());
    let outcome = ask(DRAFT, &stores, &grants, "set", json!({"key": "k".repeat(1025), "value": ""}));
    assert!(told(&outcome)["other"].as_str().unwrap().starts_with("key-too-long: "));
    assert_eq!(outcome.refusals[0].reason, Reason::Size);
    let value = "A".repeat((512 << 10) / 3 * 4 + 8);
    let outcome = ask(DRAFT, &stores, &grants, "set", json!({"key": "k", "value": value}));
    assert!(told(&outcome)["other"].as_str().unwrap().starts_with("value-too-long: "));
    // What the engine itself does not copy in one call stops it.
    let value = "A".repeat(2 << 20);
    fails(&ask(DRAFT, &stores, &grants, "set", json!({"key": "k", "value": value})), FailureCode::HostCalls);
    ask(DRAFT2, &stores, &grants, "set", json!({"key": "t", "value": "eno="})).end.unwrap();
    let outcome = ask(DRAFT2, &stores, &grants, "increment", json!({"key": "t", "delta": 1}));
    assert!(told(&outcome)["other"].as_str().unwrap().starts_with("not-a-number: "));
    assert!(outcome.refusals.is_empty());
}

fn again(stores: &Arc<dyn Stores>, what: u32, times: u32, limits: Limits) -> Outcome {
    let input = json!({"store": "cache", "key": "n", "times": times, "what": what});
    execute(kept(DRAFT2, stores, &cache(), "again", input, limits))
}

#[test]
fn a_flood_ends_at_the_limits() {
    let stores = stores();
    let few = Limits { host_calls: 50, ..limits() };
    let outcome = again(&stores, EXISTS, u32::MAX >> 1, few.clone());
    fails(&outcome, FailureCode::HostCalls);
    assert!((50..=52).contains(&outcome.resources.host_calls.used));
    fails(&again(&stores, COUNT, u32::MAX >> 1, few), FailureCode::HostCalls);
    let outcome = again(&stores, SET, u32::MAX >> 1, Limits { host_call_bytes: 1 << 20, ..limits() });
    fails(&outcome, FailureCode::HostCalls);
    assert!(outcome.resources.host_call_bytes.used <= (1 << 20) + 65_537);
    fails(&again(&stores, OPEN, 5_000, limits()), FailureCode::Handles);
    fails(&again(&stores, COUNT, u32::MAX >> 1, Limits { fuel: Some(1_000_000), ..limits() }), FailureCode::Fuel);
    // A store that was refused costs a call too, and is kept only so often.
    let input = json!({"store": "cache", "key": "n", "times": 100, "what": SET});
    let small = grants("acme", "org.acme/count", &json!([{"store": "cache", "bytes": 10}]));
    let outcome = execute(kept(DRAFT2, &self::stores(), &small, "again", input, limits()));
    assert_eq!((outcome.end.is_ok(), outcome.refusals.len()), (true, 16));
}

/// A guest that does this to its store without end, and is allowed 50 calls of the host.
pub(crate) fn flood(what: u32) -> Order {
    let input = json!({"store": "cache", "key": "n", "times": u32::MAX >> 1, "what": what});
    kept(DRAFT2, &stores(), &cache(), "again", input, Limits { host_calls: 50, ..limits() })
}

#[test]
fn runs_at_the_same_time_lose_no_count() {
    let folder = tempfile::tempdir().unwrap();
    let mut kinds = vec![stores()];
    #[cfg(feature = "sqlite")]
    kinds.push(Arc::new(skillhall_core::stores::sqlite::SqliteStores::at(&folder.path().join("keyvalue.db"))));
    for stores in &kinds {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let stores = Arc::clone(stores);
                std::thread::spawn(move || again(&stores, COUNT, 25, limits()).end)
            })
            .collect();
        threads.into_iter().for_each(|thread| assert_eq!(thread.join().unwrap(), Ok(Value::Null)));
        let counted = ask(DRAFT2, stores, &cache(), "increment", json!({"key": "n", "delta": 0}));
        assert_eq!(counted.end, Ok(json!(100)));
    }
    drop(folder);
}

/// Stores that take their time, and note whether somebody waited when they were done.
#[derive(Default)]
struct Slow {
    done: AtomicBool,
    wanted: AtomicBool,
}

impl Stores for Slow {
    fn perform(&self, _: &StoreId, _: Quota, operation: Operation, wanted: &dyn Fn() -> bool) -> Result<Performed, StoreError> {
        if operation == Operation::Open {
            return Ok(Performed { answer: skillhall_core::stores::Answer::Done, usage: Default::default() });
        }
        let since = Instant::now();
        while wanted() && since.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(2));
        }
        self.wanted.store(wanted(), Ordering::SeqCst);
        self.done.store(true, Ordering::SeqCst);
        Err(StoreError::GivenUp)
    }
}

#[test]
fn the_deadline_ends_a_call_that_waits_for_the_disk_and_nothing_is_done_later() {
    let slow = Arc::new(Slow::default());
    let stores: Arc<dyn Stores> = slow.clone();
    let since = Instant::now();
    let input = json!({"store": "cache", "key": "a", "value": ""});
    let order = kept(DRAFT2, &stores, &cache(), "set", input, Limits { time_ms: 200, ..limits() });
    // The runtime's own end would wait for its threads, so time is taken before.
    let (outcome, took) = block_on(async {
        let outcome = run(order, &KillHandle::new()).await;
        (outcome, since.elapsed())
    });
    fails(&outcome, FailureCode::Time);
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(slow.done.load(Ordering::SeqCst) && !slow.wanted.load(Ordering::SeqCst));
}

/// Stores on a disk that does not work.
struct Broken;

impl Stores for Broken {
    fn perform(&self, _: &StoreId, _: Quota, _: Operation, _: &dyn Fn() -> bool) -> Result<Performed, StoreError> {
        Err(StoreError::Unavailable("/srv/hall/keyvalue.db: database or disk is full".into()))
    }
}

#[test]
fn a_store_that_cannot_be_used_is_told_to_the_guest_without_the_hosts_reason() {
    let stores: Arc<dyn Stores> = Arc::new(Broken);
    let outcome = ask(DRAFT2, &stores, &cache(), "get", json!({"key": "a"}));
    assert_eq!(told(&outcome), json!({"other": "unavailable: the host cannot use its stores now"}));
    let refusal = &outcome.refusals[0];
    assert_eq!(refusal.reason, Reason::Unavailable);
    assert!(refusal.message.contains("database or disk is full"), "{}", refusal.message);
    alive();
}

/// Looks at a key, sets it meanwhile if it is told to, and exchanges it. Gives back 0 for done, 1 for changed meanwhile (and then
/// tries again with the handle that it got, which must do), 2 for an error.
fn swapping() -> &'static str {
    r#"(component
        (import "wasi:keyvalue/store@0.2.0-draft2" (instance $store
            (export "bucket" (type $bucket (sub resource)))
            (type $e (variant (case "no-such-store") (case "access-denied") (case "other" string)))
            (export "error" (type $error (eq $e)))
            (export "open" (func (param "identifier" string) (result (result (own $bucket) (error $error)))))
            (export "[method]bucket.set" (func (param "self" (borrow $bucket)) (param "key" string) (param "value" (list u8))
                (result (result (error $error)))))))
        (alias export $store "bucket" (type $bucket))
        (alias export $store "error" (type $error))
        (import "wasi:keyvalue/atomics@0.2.0-draft2" (instance $atomics
            (export "cas" (type $cas (sub resource)))
            (type $ce (variant (case "store-error" $error) (case "cas-failed" (own $cas))))
            (export "cas-error" (type $cas-error (eq $ce)))
            (export "[static]cas.new" (func (param "bucket" (borrow $bucket)) (param "key" string)
                (result (result (own $cas) (error $error)))))
            (export "[method]cas.current" (func (param "self" (borrow $cas)) (result (result (option (list u8)) (error $error)))))
            (export "swap" (func (param "cas" (own $cas)) (param "value" (list u8)) (result (result (error $cas-error)))))))
        (core module $memory (memory (export "memory") 32)
            (global $next (mut i32) (i32.const 1024))
            (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                (global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3)))))
        (core instance $memory (instantiate $memory))
        (core func $open (canon lower (func $store "open") (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core func $set (canon lower (func $store "[method]bucket.set")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core func $new (canon lower (func $atomics "[static]cas.new")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core func $current (canon lower (func $atomics "[method]cas.current")
            (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core func $swap (canon lower (func $atomics "swap") (memory $memory "memory") (realloc (func $memory "realloc"))))
        (core module $m
            (import "host" "open" (func $open (param i32 i32 i32)))
            (import "host" "set" (func $set (param i32 i32 i32 i32 i32 i32)))
            (import "host" "new" (func $new (param i32 i32 i32 i32)))
            (import "host" "current" (func $current (param i32 i32)))
            (import "host" "swap" (func $swap (param i32 i32 i32 i32)))
            (import "memory" "memory" (memory 1))
            (func (export "swap") (param $store i32) (param $s i32) (param $key i32) (param $k i32) (param $meanwhile i32)
                (param $value i32) (param $v i32) (result i32)
                (call $open (local.get $store) (local.get $s) (i32.const 16))
                (if (i32.load8_u (i32.const 16)) (then (return (i32.const 2))))
                (call $new (i32.load (i32.const 20)) (local.get $key) (local.get $k) (i32.const 64))
                (if (i32.load8_u (i32.const 64)) (then (return (i32.const 2))))
                (if (i32.eq (local.get $meanwhile) (i32.const 1)) (then
                    (call $set (i32.load (i32.const 20)) (local.get $key) (local.get $k) (i32.const 0) (i32.const 4)
                        (i32.const 96))))
                (if (i32.eq (local.get $meanwhile) (i32.const 2)) (then
                    (call $set (i32.load (i32.const 20)) (local.get $key) (local.get $k) (i32.const 0) (i32.const 4)
                        (i32.const 96))
                    (call $current (i32.load (i32.const 68)) (i32.const 96))
                    (if (i32.ne (i32.load (i32.const 108)) (i32.const 4)) (then unreachable))))
                (call $swap (i32.load (i32.const 68)) (local.get $value) (local.get $v) (i32.const 128))
                (if (i32.eqz (i32.load8_u (i32.const 128))) (then (return (i32.const 0))))
                (if (i32.eqz (i32.load8_u (i32.const 132))) (then (return (i32.const 2))))
                (call $swap (i32.load (i32.const 136)) (local.get $value) (local.get $v) (i32.const 160))
                (if (i32.load8_u (i32.const 160)) (then unreachable))
                (i32.const 1)))
        (core instance $i (instantiate $m
            (with "host" (instance (export "open" (func $open)) (export "set" (func $set)) (export "new" (func $new))
                (export "current" (func $current)) (export "swap" (func $swap))))
            (with "memory" (instance $memory))))
        (func (export "swap") (param "store" string) (param "key" string) (param "meanwhile" u32) (param "value" (list u8))
            (result u32)
            (canon lift (core func $i "swap") (memory $memory "memory") (realloc (func $memory "realloc")))))"#
}

#[test]
fn a_value_is_exchanged_only_if_it_is_still_what_was_seen() {
    let (stores, grants) = (stores(), cache());
    let swap = |meanwhile: u32, value: &str| {
        let input = json!({"store": "cache", "key": "k", "meanwhile": meanwhile, "value": value});
        let order = kept(DRAFT2, &stores, &grants, "swap", json!({}), limits());
        let prepared = try_prepare(&bytes(swapping()), false).unwrap();
        execute(Order { prepared, input, ..order }).end
    };
    let value = || ask(DRAFT2, &stores, &grants, "get", json!({"key": "k"})).end;
    assert_eq!((swap(0, "MQ=="), value()), (Ok(json!(0)), Ok(json!("MQ=="))));
    assert_eq!((swap(1, "Mg=="), value()), (Ok(json!(1)), Ok(json!("Mg=="))), "and at the second try");
    assert_eq!((swap(2, "Mw=="), value()), (Ok(json!(0)), Ok(json!("Mw=="))), "what it looked at anew");
    let big = "A".repeat((512 << 10) / 3 * 4 + 8);
    assert_eq!((swap(0, &big), value()), (Ok(json!(2)), Ok(json!("Mw=="))));
}

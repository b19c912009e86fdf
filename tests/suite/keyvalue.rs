//! Stores end to end: what is asked, denied, granted, kept from call to call, and told, through the command and the library.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use skillhall::hall::Hall;
use skillhall::sandbox::LocalPowers;
use skillhall_core::govern::call::{Call, Caller};
use skillhall_core::ledger::change::change;
use skillhall_core::ledger::{Event, EventKind};
use skillhall_core::registry::{Change, NamespaceRecord, OrgRecord};
use skillhall_tests::command::{Run, hall};
use skillhall_tests::skills::count;
use skillhall_tests::world::{World, call, install};

const COUNT: &str = "org.skillhall/count";

/// A hall in which the counting skill is installed.
struct Desk(World);

impl Desk {
    fn new() -> Self {
        let desk = Self(World::bare());
        install(&desk.0.open(), &count());
        desk.enroll();
        desk
    }

    /// The command is another executable than the test.
    fn enroll(&self) {
        self.hall(&["setup", "--enroll", "--json"]).object();
    }

    fn hall(&self, arguments: &[&str]) -> Run {
        hall(&self.0.home(), arguments)
    }

    fn run(&self, tool: &str, input: &str) -> Run {
        self.hall(&["run", COUNT, "--tool", tool, "--input", input, "--json"])
    }

    /// Counts one more visit: the receipt.
    fn count(&self) -> Value {
        self.run("count", "{\"key\": \"ada\"}").object()
    }

    fn file(&self) -> PathBuf {
        self.0.home().join("keyvalue.db")
    }
}

#[test]
fn what_one_run_keeps_the_next_one_finds() {
    let desk = Desk::new();
    let error = desk.run("count", "{\"key\": \"ada\"}").error(3);
    assert_eq!(error["code"], "DENY_CAPABILITY_NOT_GRANTED");
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.ends_with("hall grant org.skillhall/count --keyvalue visits"), "{hint}");
    assert!(!desk.file().exists(), "it is made when it is needed");

    let told = desk.hall(&["grant", COUNT, "--keyvalue", "visits:10K"]).ends(0);
    assert!(told.stdout.contains("keyvalue: visits (10240 bytes, 1000 entries)"), "{told:?}");
    assert!(desk.hall(&["policy", "show"]).ends(0).stdout.contains("keyvalue: visits (10240 bytes, 1000 entries)"));
    let (first, second) = (desk.count(), desk.count());
    assert_eq!((&first["output"], &second["output"]), (&json!(1), &json!(2)));
    assert_eq!(second["grants"], json!(["keyvalue: visits (10240 bytes, 1000 entries)"]));
    assert_eq!(second["resources"]["keyvalue_bytes"], json!({"used": 4, "allowed": 10_240}));
    assert_eq!(second["resources"]["keyvalue_entries"], json!({"used": 1, "allowed": 1000}));
    assert_eq!(second["refusals"], Value::Null);
    assert_eq!(fs::metadata(desk.file()).expect("the file").permissions().mode() & 0o777, 0o600);

    // Another store, and more than was granted.
    let receipt = desk.run("other", "{}").object();
    let refusal = &receipt["refusals"][0];
    assert_eq!((&receipt["output"], &refusal["reason"], &refusal["asked"]), (&json!(-1), &json!("store"), &json!("other")));
    let receipt = desk.run("fill", "{\"bytes\": 10240}").object();
    let refusal = &receipt["refusals"][0];
    assert_eq!((&receipt["output"], &refusal["reason"]), (&json!(-1), &json!("quota")), "{receipt}");
    let hint = refusal["hint"].as_str().expect("a hint");
    assert!(hint.contains("hall grant org.skillhall/count --keyvalue visits:"), "{hint}");
    desk.hall(&["grant", COUNT, "--keyvalue", "visits:20K", "--json"]).object();
    assert_eq!(desk.run("fill", "{\"bytes\": 10240}").object()["output"], json!(0));
}

#[test]
fn what_is_kept_outlives_the_grant_and_the_version() {
    let desk = Desk::new();
    let granted = desk.hall(&["grant", COUNT, "--asked", "--json"]).object();
    assert_eq!(granted["after"]["keyvalue"], json!([{"store": "visits", "bytes": 1_048_576, "entries": 1000}]));
    assert_eq!(desk.count()["output"], json!(1));
    let gone = desk.hall(&["grant", COUNT, "--revoke", "keyvalue:visits", "--json"]).object();
    assert_eq!(gone["after"], json!({}));
    assert_eq!(desk.run("count", "{\"key\": \"ada\"}").error(3)["code"], "DENY_CAPABILITY_NOT_GRANTED");
    desk.hall(&["grant", COUNT, "--asked", "--keyvalue", "visits:1K:5", "--json"]).object();
    assert_eq!(desk.count()["output"], json!(2));
    for wrong in ["other", "Visits", "visits:0", "visits:2G"] {
        let error = desk.hall(&["grant", COUNT, "--asked", "--keyvalue", wrong, "--json"]).error(2);
        assert!(error["message"].is_string(), "{error}");
    }
    desk.hall(&["uninstall", COUNT, "--json"]).object();
    desk.hall(&["install", COUNT, "--json"]).object();
    assert_eq!(desk.count()["output"], json!(3));
}

#[test]
fn the_owner_deletes_what_a_skill_keeps() {
    let desk = Desk::new();
    let nothing = desk.hall(&["store", "list", COUNT, "--json"]).object();
    assert_eq!(nothing, json!({ "skill": COUNT, "stores": [] }));
    assert!(!desk.file().exists(), "looking makes nothing");
    desk.hall(&["grant", COUNT, "--keyvalue", "visits", "--json"]).object();
    desk.count();
    let kept = json!([{ "organisation": "acme", "store": "visits", "bytes": 4, "entries": 1 }]);
    assert_eq!(desk.hall(&["store", "list", COUNT, "--json"]).object()["stores"], kept);
    let told = desk.hall(&["uninstall", COUNT]).ends(0).stdout;
    assert!(told.contains("4 bytes in 1 stores") && told.contains(&format!("hall store clear {COUNT} --all")), "{told}");
    for other in [["store", "clear", COUNT, "visit"].as_slice(), &["store", "clear", COUNT, "visits", "--organisation", "other"]]
    {
        desk.hall(&[other, &["--json"]].concat()).error(2);
    }
    let cleared = desk.hall(&["store", "clear", COUNT, "visits", "--json"]).object();
    assert_eq!(cleared["cleared"], kept);
    let listed = desk.hall(&["audit", "list", "--event", "store.clear", "--json"]).object();
    let record = &listed["records"].as_array().expect("records")[0];
    assert_eq!((&record["sequence"], &record["data"]["stores"], &record["skill"]), (&cleared["record"], &kept, &json!(COUNT)));
    assert_eq!(desk.hall(&["store", "clear", COUNT, "--all", "--json"]).object()["record"], Value::Null);
    desk.hall(&["store", "clear", COUNT, "--json"]).error(2);
    desk.hall(&["install", COUNT, "--json"]).object();
    assert_eq!(desk.count()["output"], json!(1), "it begins anew");
    desk.hall(&["audit", "verify", "--json"]).object();
}

#[test]
fn a_file_that_cannot_be_used_hurts_nothing_but_the_store() {
    let desk = Desk::new();
    desk.hall(&["grant", COUNT, "--keyvalue", "visits", "--json"]).object();
    assert_eq!(desk.count()["output"], json!(1));
    let aside = desk.0.desk().join("aside.db");
    fs::rename(desk.file(), &aside).expect("the file is taken away");
    fs::write(
        desk.file(),
        "this is no database, and it is longer than the hundred bytes that the head of a database has, by a few.",
    )
    .expect("something else is put there");
    let receipt = desk.count();
    let refusal = &receipt["refusals"][0];
    assert_eq!((&receipt["output"], &refusal["reason"]), (&json!(-1), &json!("unavailable")), "{receipt}");
    assert!(refusal["message"].as_str().is_some_and(|message| message.contains("not a database")), "{refusal}");
    // Others could have changed it: then the hall itself does not open.
    fs::set_permissions(desk.file(), fs::Permissions::from_mode(0o666)).expect("the mode is set");
    let error = desk.run("count", "{\"key\": \"ada\"}").error(4);
    assert!(error["message"].as_str().is_some_and(|message| message.contains("keyvalue.db has mode 666")), "{error}");
    fs::rename(&aside, desk.file()).expect("the file is put back");
    assert_eq!(desk.count()["output"], json!(2));
}

fn counted(hall: &Hall, caller: Caller) -> Value {
    let call: Call = call("org.skillhall/count@1.0.0", "{\"key\": \"ada\"}").tool("count".parse().expect("a name"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let receipt = runtime.block_on(hall.execute_for(caller, call)).expect("the host is well");
    receipt.into_output().expect("it runs")
}

#[test]
fn each_organisation_has_a_store_of_its_own() {
    let world = World::bare();
    install(&world.open(), &count());
    let open = || Hall::open(world.config().powers(Arc::new(LocalPowers::default()))).expect("the hall opens");
    let hall = open();
    let grant = |policy: &skillhall_core::capability::Policy| {
        let mut policy = policy.clone();
        policy.keyvalue.push(skillhall_core::capability::keyvalue::Grant::usual("visits"));
        policy
    };
    hall.grant(&COUNT.parse().expect("a skill"), grant).expect("it is granted");
    let hall = open();
    let acme = hall.caller().expect("the owner is known").expect("the test owns the hall");
    let other = Caller { organisation: "elsewhere".parse().expect("a name"), ..acme.clone() };
    let say = |kind, entry: Change| {
        let event = Event::new(kind, hall.now().expect("the time is known"));
        change(hall.ledger().expect("the ledger"), hall.registry().expect("the registry"), event, &entry).expect("it is said");
    };
    let organisation = other.organisation.clone();
    say(
        EventKind::OrgRegister,
        Change::Organisation(OrgRecord { organisation: organisation.clone(), suspended: false, offboarded: false }),
    );
    let namespace = "org.skillhall".parse().expect("a namespace");
    let before = hall.registry().expect("the registry").namespace(&namespace).expect("it answers").expect("it is registered");
    say(EventKind::NamespaceRegister, Change::Namespace(NamespaceRecord { callers: vec![organisation], ..before }));

    assert_eq!((counted(&hall, acme.clone()), counted(&hall, acme.clone())), (json!(1), json!(2)));
    assert_eq!(counted(&hall, other.clone()), json!(1), "it sees nothing of the other's");
    assert_eq!((counted(&hall, acme), counted(&hall, other)), (json!(3), json!(2)));
    // Another process that opens the hall finds both.
    drop(hall);
    let hall = open();
    let acme = hall.caller().expect("the owner is known").expect("the test owns the hall");
    assert_eq!(counted(&hall, acme), json!(4));
}

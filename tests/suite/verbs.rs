//! What an operator does to keys, attestations and the host; and what the command says of itself to shells and to man.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skillhall::hall::{AnewEnd, Hall, Refused, Rotation};
use skillhall_core::ledger::EventKind;
use skillhall_core::trust::keys::KeySource as _;
use skillhall_tests::command::{Run, command, hall};
use skillhall_tests::files::{copy_folder, put, text};
use skillhall_tests::skills::{redact_as, redact_toml, spin, write};
use skillhall_tests::world::{World, call, good_call, install, records_from, run, size};

const NAMESPACE: &str = "org.skillhall";
const REDACT: &str = "org.skillhall/redact";
const INPUT: &str = "{\"text\": \"Write to ada@example.org.\"}";
/// The public key of RFC 8410, section 10.1, and its bytes.
const PUBLIC_PEM: &str =
    "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
const PUBLIC_HEX: &str = "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1";

/// A hall in which the real skill can be run, by the command, too.
fn ready() -> World {
    let world = World::ready();
    hall(&world.home(), &["worker", "enroll", "--json"]).object();
    world
}

fn command_in(world: &World, arguments: &[&str]) -> Run {
    hall(&world.home(), arguments)
}

fn runs(world: &World) {
    let receipt = command_in(world, &["run", REDACT, "--input", INPUT, "--json"]).object();
    assert_eq!(receipt["decision"], "ALLOW");
}

/// The kinds of the records that a deed leaves.
fn added(world: &World, deed: impl FnOnce()) -> Vec<&'static str> {
    let before = size(&world.open());
    deed();
    records_from(&world.open(), before).iter().map(|record| record.event.kind.as_str()).collect()
}

fn text_of(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn keys_of(world: &World, part: &str) -> Vec<String> {
    let listed = command_in(world, &["keys", "list", "--json"]).object();
    let keys = listed["keys"].as_array().expect("keys").iter().map(|row| text_of(&row["key"]["id"]).to_owned());
    keys.filter(|id| id.contains(part)).collect()
}

fn rotation(days: i64) -> Rotation {
    Rotation { namespace: NAMESPACE.parse().expect("a namespace"), algorithm: None, overlap_ms: days * 86_400_000 }
}

fn attest_all(hall: &Hall) -> Vec<AnewEnd> {
    let all = hall.attest_all(&NAMESPACE.parse().expect("a namespace"), "test", &mut |_| {});
    all.expect("the namespace is the hall's").into_iter().map(|version| version.end).collect()
}

/// What a good call is denied with.
fn denied(hall: &Hall) -> &'static str {
    match run(hall, good_call()) {
        Err(Refused::Denied { denial, .. }) => denial.code.as_str(),
        other => panic!("it was not denied: {other:?}"),
    }
}

#[test]
fn a_rotation_denies_no_good_call_from_its_beginning_to_the_old_keys_end() {
    let world = World::ready();
    let hall = world.open();
    let good = |when: &str| drop(run(&hall, good_call()).unwrap_or_else(|refused| panic!("{when}: {refused:?}")));
    good("before");
    let mut rotated = None;
    let kinds = added(&world, || rotated = Some(hall.rotate_keys(&rotation(30)).expect("it is rotated")));
    assert_eq!(kinds, ["key.add", "key.add", "key.retire", "key.retire"]);
    let rotated = rotated.expect("it was rotated");
    assert_eq!((rotated.added.len(), rotated.retiring.len()), (2, 2));
    good("rotated");
    let anew = attest_all(&hall);
    let [AnewEnd::Attested { keys }] = anew.as_slice() else { panic!("it is not attested: {anew:?}") };
    assert_eq!(*keys, rotated.added.iter().map(|key| key.id.clone()).collect::<Vec<_>>());
    good("attested anew");
    for day in [1, 29, 31, 300] {
        world.clock.ahead(day);
        good(&format!("on day {day}"));
    }
    let now = hall.now().unwrap();
    let keyring = hall.keys().keyring().expect("a keyring");
    let states: Vec<String> =
        keyring.namespaces.values().flat_map(|keys| &keys.keys).map(|key| format!("{:?}", key.state(now))).collect();
    assert_eq!(states, ["Expired", "Expired", "Valid", "Valid"], "the old keys' time is over");
    // What was attested anew stands in the registry beside the old attestations, and the installed copy goes through gates 1 to 5.
    let registry = hall.registry().expect("it answers");
    let versions = registry.versions(&REDACT.parse().expect("a skill")).expect("it answers");
    let statements = registry.statements(&versions[0].manifest_hash).expect("it answers");
    let by_new = statements.iter().filter(|statement| rotated.added.iter().any(|key| key.id == statement.signer)).count();
    assert_eq!(by_new, 2);
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted.len(), 0);
}

#[test]
fn without_attesting_anew_the_old_keys_end_denies() {
    let world = World::ready();
    let hall = world.open();
    hall.rotate_keys(&rotation(30)).expect("it is rotated");
    world.clock.ahead(29);
    let _ = run(&hall, good_call()).expect("the old key still counts");
    world.clock.ahead(31);
    assert_eq!(denied(&hall), "ATTEST_KEY_EXPIRED");
    // It is never too late: the bytes are those that were published.
    assert!(matches!(attest_all(&hall).as_slice(), [AnewEnd::Attested { .. }]));
    let _ = run(&hall, good_call()).expect("the new keys count");
}

#[test]
fn calls_that_come_while_copies_are_exchanged_are_not_denied() {
    let world = World::ready();
    let hall = world.open();
    let skill = format!("{REDACT}@1.0.0").parse().expect("a skill in a version");
    let package = hall.load(&skill).expect("it is installed");
    let (packages, name) = (world.home().join("packages"), package.manifest_hash().to_string());
    let (over, calls, reads) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    // Whoever finds something wrong ends the others, too, and so does the end of the exchanges.
    let until_over = |count: &AtomicUsize, deed: &dyn Fn()| {
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let _over = Over(&over);
        while !over.load(Ordering::SeqCst) {
            deed();
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let caller = world.open();
            until_over(&calls, &|| drop(run(&caller, good_call()).expect("a good call is not refused")));
        });
        for _ in 0..2 {
            scope.spawn(|| {
                let reader = world.open();
                until_over(&reads, &|| {
                    let read = reader.load(&skill).expect("it is installed all the time");
                    assert!(read.awp_manifest().is_some() && read.dsse_envelope().is_some(), "one half of a package");
                });
            });
        }
        let exchanges = AtomicUsize::new(0);
        until_over(&exchanges, &|| {
            write(&package, &packages, &name);
            let done = exchanges.load(Ordering::SeqCst) >= 100 && calls.load(Ordering::SeqCst) > 0;
            over.fetch_or(done, Ordering::SeqCst);
        });
    });
    assert!(reads.load(Ordering::SeqCst) > 10 && calls.load(Ordering::SeqCst) > 0, "they came meanwhile");
}

#[test]
fn a_rotation_says_what_to_do_next_and_refuses_what_makes_no_sense() {
    let world = ready();
    let told = command_in(&world, &["keys", "rotate", "--overlap", "7d"]).ends(0);
    assert!(
        told.stdout.contains("counts until ") && told.stdout.contains("hall attest --namespace org.skillhall --all"),
        "{told:?}"
    );
    let mut object = Value::Null;
    let kinds = added(&world, || {
        object = command_in(&world, &["keys", "rotate", "--algorithm", "hmac", "--overlap", "90m", "--json"]).object()
    });
    assert_eq!(kinds, ["key.add", "key.retire", "key.retire"], "one new key, and both old ones end");
    assert_eq!(object["next"], "hall attest --namespace org.skillhall --all");
    assert_eq!(object["added"][0]["algorithm"], "hmac-sha256");
    // No rotation lengthens a key's life.
    let ends: Vec<&str> = object["retiring"].as_array().expect("keys").iter().map(|key| text_of(&key["valid_to"])).collect();
    command_in(&world, &["keys", "rotate", "--algorithm", "hmac", "--overlap", "365d", "--json"]).object();
    let listed = command_in(&world, &["keys", "list", "--json"]).object();
    let all: Vec<&str> =
        listed["keys"].as_array().expect("keys").iter().filter_map(|row| row["key"]["valid_to"].as_str()).collect();
    assert!(ends.iter().all(|end| all.contains(end)), "{ends:?} are no longer in {all:?}");
    for (arguments, exit) in [
        (["--overlap", "0d"].as_slice(), 2),
        (&["--overlap", "30"], 2),
        (&["--overlap", "30s"], 2),
        (&["--overlap", "99999999999999999999d"], 2),
        (&["--algorithm", "rsa"], 2),
        (&["--namespace", "org.stranger"], 3),
    ] {
        let error = command_in(&world, &[&["keys", "rotate"], arguments, &["--json"]].concat()).error(exit);
        assert!(!text_of(&error["message"]).is_empty(), "{arguments:?}");
    }
    assert!(keys_of(&world, "stranger").is_empty());
}

#[test]
fn a_secret_of_the_environment_is_rotated_where_it_is_set() {
    let world = World::bare();
    let home = world.desk().join("other");
    hall(&home, &["setup", "--namespace", NAMESPACE, "--hmac-from-env", NAMESPACE, "--json"]).object();
    let told = hall(&home, &["keys", "rotate"]).ends(0);
    assert!(told.stdout.contains("WCP_ATTEST_HMAC_KEY is not rotated here"), "{told:?}");
    assert_eq!(told.stdout.matches("made the key").count(), 1, "{told:?}");
    let error = hall(&home, &["keys", "rotate", "--algorithm", "hmac", "--json"]).error(2);
    assert!(text_of(&error["message"]).contains("where it is set"), "{error}");
}

#[test]
fn the_list_of_keys_shows_state_and_age() {
    let world = ready();
    let hmac = keys_of(&world, "/hmac-").remove(0);
    command_in(&world, &["keys", "rotate", "--algorithm", "ed25519", "--json"]).object();
    command_in(&world, &["keys", "revoke", &hmac, "--reason", "lost", "--json"]).object();
    let listed = command_in(&world, &["keys", "list", "--json"]).object();
    let rows = listed["keys"].as_array().expect("keys");
    let row = rows.iter().find(|row| row["key"]["id"] == json!(hmac)).expect("it is listed");
    assert_eq!((&row["state"], &row["age_days"], &row["namespace"]), (&json!("revoked"), &json!(0), &json!(NAMESPACE)));
    let told = command_in(&world, &["keys", "list"]).ends(0);
    let line = |part: &str| told.stdout.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part}: {told:?}"));
    assert!(line(&hmac).contains("revoked") && line(&hmac).contains("since "), "{told:?}");
    assert!(line("until ").contains("valid") && line("until ").contains("0 d"), "{told:?}");
}

#[test]
fn everything_of_a_namespace_is_attested_again() {
    let world = ready();
    for version in ["1.0.1", "1.1.0"] {
        let toml = redact_toml().replace("version = \"1.0.0\"", &format!("version = \"{version}\""));
        install(&world.open(), &redact_as(&toml).expect("it is built"));
    }
    let of_now = command_in(&world, &["attest", "--all", "--json"]).object();
    assert_eq!((&of_now["attested"], &of_now["current"]), (&json!(0), &json!(3)), "{of_now}");
    command_in(&world, &["keys", "rotate", "--json"]).object();
    // One whose bytes are nowhere, neither installed nor kept, is told, and is no failure.
    let manifest = world.open().installed(&REDACT.parse().expect("a skill")).expect("it answers")[1].manifest_hash;
    let away = world.desk().join("away");
    std::fs::rename(world.home().join("packages").join(manifest.to_string()), &away).expect("it is moved");
    std::fs::remove_file(world.home().join(format!("published/{manifest}.skill"))).expect("it is taken away");
    let told = command_in(&world, &["attest", "--namespace", NAMESPACE, "--all"]).ends(0);
    assert!(
        told.stdout.contains("attested 2, 0 had the keys of now already") && told.stdout.contains("1 not installed here"),
        "{told:?}"
    );
    assert_eq!(told.stderr.matches('✓').count(), 2, "{told:?}");
    assert!(told.stderr.contains("redact@1.0.1 is not installed here"), "{told:?}");
    std::fs::rename(&away, world.home().join("packages").join(manifest.to_string())).expect("it is moved back");
    let mut again = Value::Null;
    let kinds = added(&world, || again = command_in(&world, &["attest", "--all", "--json"]).object());
    assert_eq!((&again["attested"], &again["current"], &again["failed"]), (&json!(1), &json!(2), &json!(0)), "{again}");
    assert_eq!(kinds, ["skill.attest", "skill.attest", "skill.attest"], "the deed, and both forms in the registry");
    assert_eq!(again["versions"][1]["state"], "attested");
    runs(&world);
    for wrong in [
        ["attest", "--json"].as_slice(),
        &["attest", "a", "--all", "--json"],
        &["attest", "a", "--namespace", NAMESPACE, "--json"],
    ] {
        assert_eq!(command_in(&world, wrong).error(2)["kind"], "usage", "{wrong:?}");
    }
    let error = command_in(&world, &["attest", "--all", "--namespace", "org.stranger", "--json"]).error(3);
    assert_eq!(error["code"], "ATTEST_NAMESPACE_INVALID");
}

#[test]
fn a_kept_copy_that_was_left_behind_is_attested_again() {
    let world = World::ready();
    let manifest = world.open().installed(&REDACT.parse().expect("a skill")).expect("it answers")[0].manifest_hash;
    let kept = world.home().join(format!("published/{manifest}.skill"));
    let old = std::fs::read(&kept).expect("it is kept");
    let hall = world.open();
    hall.rotate_keys(&rotation(30)).expect("it is rotated");
    assert!(matches!(attest_all(&hall).as_slice(), [AnewEnd::Attested { .. }]));
    let new = std::fs::read(&kept).expect("it is kept");
    assert_ne!(old, new, "what is kept bears the keys of now");
    // As after an interruption between the installed copy and the kept one.
    put(&kept, &old);
    assert!(matches!(attest_all(&hall).as_slice(), [AnewEnd::Attested { .. }]));
    assert_eq!(std::fs::read(&kept).expect("it is kept"), new);
    assert!(matches!(attest_all(&hall).as_slice(), [AnewEnd::Current { .. }]));
    run(&hall, good_call()).map(drop).expect("a good call is not refused");
}

#[test]
fn nobody_vouches_for_bytes_that_were_not_published() {
    let world = ready();
    let toml = redact_toml().replace("version = \"1.0.0\"", "version = \"1.0.1\"");
    install(&world.open(), &redact_as(&toml).expect("it is built"));
    command_in(&world, &["keys", "rotate", "--json"]).object();
    // A whole package, and another one than the registry has under this hash.
    let installed = world.open().installed(&REDACT.parse().expect("a skill")).expect("it answers");
    let folder = |index: usize| world.home().join("packages").join(installed[index].manifest_hash.to_string());
    std::fs::remove_dir_all(folder(0)).expect("it is removed");
    copy_folder(&folder(1), &folder(0));
    let before = text(&folder(0).join("manifest.json"));
    let ended = command_in(&world, &["attest", "--all", "--json"]).ends(3);
    let (done, error): (Value, Value) = (
        serde_json::from_str(&ended.stdout).expect("each version on stdout"),
        serde_json::from_str(&ended.stderr).expect("the error on stderr"),
    );
    assert_eq!((&done["attested"], &done["failed"]), (&json!(1), &json!(1)), "{done}");
    assert_eq!(done["versions"][0]["state"], "failed");
    assert_eq!(done["versions"][0]["refused"]["code"], "ATTEST_HASH_MISMATCH");
    assert_eq!(error["error"]["code"], "ATTEST_HASH_MISMATCH");
    assert_eq!(text(&folder(0).join("manifest.json")), before, "what failed stays as it was");
    let told = command_in(&world, &["attest", "--all"]).ends(3);
    assert!(told.stderr.contains("✗ org.skillhall/redact@1.0.0 ATTEST_HASH_MISMATCH"), "{told:?}");
}

#[test]
fn attesting_everything_can_be_killed_and_done_again() {
    let world = World::ready();
    for patch in 1..6 {
        let toml = redact_toml().replace("version = \"1.0.0\"", &format!("version = \"1.0.{patch}\""));
        install(&world.open(), &redact_as(&toml).expect("it is built"));
    }
    command_in(&world, &["keys", "rotate", "--json"]).object();
    let mut killed = command(&world.home(), &["attest", "--all"]);
    let mut child = killed.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let mut first = String::new();
    BufReader::new(child.stderr.take().expect("a pipe")).read_line(&mut first).expect("a line");
    assert!(first.contains("redact@1.0.0"), "{first}");
    child.kill().expect("it is killed");
    child.wait().expect("it is gone");
    let hall = world.open();
    let every = |when: &str| {
        for patch in 0..6 {
            let skill = format!("{REDACT}@1.0.{patch}");
            let _ = run(&hall, call(&skill, INPUT)).unwrap_or_else(|refused| panic!("{when}: {skill}: {refused:?}"));
        }
    };
    every("killed");
    let again = command_in(&world, &["attest", "--all", "--json"]).object();
    assert_eq!(again["failed"], 0);
    assert!(again["current"].as_u64() >= Some(1), "what was done stays done: {again}");
    assert_eq!(again["attested"].as_u64().zip(again["current"].as_u64()).map(|(one, other)| one + other), Some(6));
    world.clock.ahead(31);
    every("after the old keys' end");
    hall.audit(None).expect("the ledger is as it was written");
}

#[test]
fn a_revoked_key_is_refused_at_once_and_for_good() {
    let world = ready();
    runs(&world);
    let hmac = keys_of(&world, "/hmac-").remove(0);
    let mut revoked = Value::Null;
    let kinds = added(&world, || {
        revoked = command_in(&world, &["keys", "revoke", &hmac, "--reason", "the laptop was stolen", "--json"]).object()
    });
    assert_eq!(kinds, ["key.revoke", "standing.revoke"]);
    assert_eq!((&revoked["before"], &revoked["namespace"]), (&json!(false), &json!(NAMESPACE)));
    assert_eq!(
        revoked["next"],
        json!(["hall keys new --namespace org.skillhall --algorithm hmac", "hall attest --namespace org.skillhall --all"])
    );
    let denied = || text_of(&command_in(&world, &["run", REDACT, "--input", INPUT, "--json"]).error(3)["code"]).to_owned();
    assert_eq!(denied(), "ATTEST_KEY_REVOKED");
    // Again is no error, and changes nothing; nor does a restore in the registry bring the key back.
    let mut again = Value::Null;
    assert!(
        added(&world, || again = command_in(&world, &["keys", "revoke", &hmac, "--reason", "again", "--json"]).object())
            .is_empty()
    );
    assert_eq!((&again["before"], &again["record"]), (&json!(true), &Value::Null));
    assert_eq!(again["key"]["revoked_at"], revoked["key"]["revoked_at"]);
    command_in(&world, &["restore", &format!("key:{hmac}"), "--reason", "a mistake", "--json"]).object();
    assert_eq!(denied(), "ATTEST_KEY_REVOKED");
    // What is told to do next mends it.
    command_in(&world, &["keys", "new", "--algorithm", "hmac", "--json"]).object();
    command_in(&world, &["attest", "--all", "--json"]).object();
    runs(&world);
    let certifier = keys_of(&world, "certifier").remove(0);
    let told = command_in(&world, &["keys", "revoke", &certifier, "--reason", "lost"]).ends(0);
    assert!(
        told.stdout.contains("next: hall keys new --purpose certify") && told.stdout.contains("hall certify PACKAGE"),
        "{told:?}"
    );
    assert_eq!(denied(), "DENY_CERTIFICATION_INVALID");
}

#[test]
fn what_cannot_be_revoked_is_said_clearly() {
    let world = ready();
    let ledger = keys_of(&world, "ledger").remove(0);
    let hmac = keys_of(&world, "/hmac-").remove(0);
    let nearly = format!("{}0", &hmac[..hmac.len() - 1]).replace("hmac-", "hmac-0");
    for (key, message, hint) in [
        (ledger.as_str(), "signs the ledger's checkpoints", ""),
        (nearly.as_str(), "the keyring has no key", hmac.as_str()),
        ("env:wcp_attest_hmac_key", "stands in no keyring", "hall ban key:env:wcp_attest_hmac_key"),
    ] {
        let error = command_in(&world, &["keys", "revoke", key, "--reason", "lost", "--json"]).error(2);
        assert!(text_of(&error["message"]).contains(message), "{key}: {error}");
        assert!(error["hint"].as_str().unwrap_or_default().contains(hint), "{key}: {error}");
    }
    assert_eq!(command_in(&world, &["keys", "revoke", &hmac, "--json"]).error(2)["kind"], "usage", "a reason is needed");
    runs(&world);
}

#[test]
fn a_revoked_key_stops_what_runs_on_the_strength_of_it() {
    let world = ready();
    install(&world.open(), &spin());
    let before = size(&world.open());
    let mut spinning = command(&world.home(), &["run", "org.skillhall/spin", "--json"]);
    let child = spinning.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let started = Instant::now();
    while !records_from(&world.open(), before).iter().any(|record| record.event.kind == EventKind::SkillExecute) {
        assert!(started.elapsed() < Duration::from_secs(60), "the run is not recorded");
        std::thread::sleep(Duration::from_millis(20));
    }
    let key = keys_of(&world, "/ed25519-").remove(0);
    command_in(&world, &["keys", "revoke", &key, "--reason", "it was stolen", "--json"]).object();
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let error: Value = serde_json::from_slice(&output.stderr).expect("one object on stderr");
    assert_eq!(error["error"]["code"], "FAIL_KILLED");
    assert!(text_of(&error["error"]["message"]).contains("it was stolen"), "{error}");
}

#[test]
fn a_publisher_is_trusted_by_a_public_key() {
    let publisher = World::bare();
    let home = publisher.desk().join("publisher");
    hall(&home, &["setup", "--namespace", "org.example", "--json"]).object();
    let toml = redact_toml().replace(NAMESPACE, "org.example");
    write(&redact_as(&toml).expect("it is built"), publisher.desk(), "package");
    let package = publisher.desk().join("package").display().to_string();
    hall(&home, &["attest", &package, "--json"]).object();
    let theirs = hall(&home, &["keys", "list", "--json"]).object();
    let key =
        theirs["keys"].as_array().expect("keys").iter().find(|row| row["key"]["algorithm"] == "ed25519").expect("one").clone();
    let (id, public) = (text_of(&key["key"]["id"]), text_of(&key["key"]["public"]));

    let world = ready();
    let refused = command_in(&world, &["certify", &package, "--json"]).error(3);
    assert!(refused.to_string().contains("ATTEST_KEY_UNKNOWN"), "{refused}");
    let trust = ["keys", "trust", "--namespace", "org.example", "--id", id, "--public", public, "--json"];
    assert_eq!(added(&world, || drop(command_in(&world, &trust).object())), ["key.add"]);
    command_in(&world, &["certify", &package, "--json"]).object();
    let twice = command_in(&world, &trust).error(4);
    assert!(text_of(&twice["message"]).contains("comes twice"), "{twice}");
}

#[test]
fn a_public_key_is_read_from_text_and_files_and_nothing_else_counts() {
    let world = ready();
    let file = |name: &str, content: &str| {
        put(&world.desk().join(name), content.as_bytes());
        world.desk().join(name).display().to_string()
    };
    let trust = |id: &str, namespace: &str, public: &str| {
        command_in(&world, &["keys", "trust", "--namespace", namespace, "--id", id, "--public", public, "--json"])
    };
    let made = trust("one", "org.one", &file("one.pem", PUBLIC_PEM)).object();
    assert_eq!(made["key"]["public"], PUBLIC_HEX);
    for (public, says) in [
        (file("private.pem", &PUBLIC_PEM.replace("PUBLIC", "PRIVATE")), "belongs to its owner alone"),
        ("0".repeat(64), "too weak"),
        (file("weak", &"0".repeat(64)), "too weak"),
        ("f".repeat(64), "no canonical Ed25519 public key"),
        (file("long", &"a".repeat(10_000)), "holds no public key"),
        (file("words", "no key at all"), "64 lower-case hexadecimal digits"),
        ("nowhere.pem".to_owned(), "no file that can be read"),
    ] {
        let error = trust("two", "org.two", &public).error(4);
        assert!(text_of(&error["message"]).contains(says), "{public}: {error}");
        assert!(error["hint"].as_str().is_some(), "{error}");
    }
    let own = trust("two", NAMESPACE, PUBLIC_HEX).error(2);
    assert!(text_of(&own["message"]).contains("this hall's own"), "{own}");
    assert!(keys_of(&world, "two").is_empty());
}

#[test]
fn enrolling_shows_what_has_changed() {
    let world = ready();
    let told = command_in(&world, &["worker", "enroll"]).ends(0);
    assert!(told.stdout.contains("nothing has changed since "), "{told:?}");
    let config = world.home().join("hall.toml");
    put(&config, format!("{}\n# edited\n", text(&config)).as_bytes());
    let denied = command_in(&world, &["run", REDACT, "--input", INPUT, "--json"]).error(3);
    assert_eq!(denied["code"], "DENY_HOST_TAMPERED");
    assert!(text_of(&denied["hint"]).contains("hall worker enroll"), "{denied}");
    let mut enrolled = Value::Null;
    let kinds = added(&world, || enrolled = command_in(&world, &["worker", "enroll", "--json"]).object());
    assert_eq!(kinds, ["worker.enroll"]);
    let parts: Vec<&str> =
        enrolled["changes"].as_array().expect("changes").iter().map(|change| text_of(&change["part"])).collect();
    assert_eq!(parts, ["configuration", "hall.toml"]);
    assert!(enrolled["last"]["time"].is_string() && enrolled["enrolled"] == true, "{enrolled}");
    runs(&world);
    let rules = world.home().join("rules.json");
    put(&rules, format!("{} ", text(&rules)).as_bytes());
    let told = command_in(&world, &["setup", "--enroll"]).ends(0);
    assert!(told.stdout.contains("rules.json") && !told.stdout.contains("hall.toml"), "the old spelling is the same: {told:?}");
    runs(&world);
    let nowhere = hall(Path::new("/nowhere"), &["worker", "enroll", "--json"]).error(2);
    assert!(text_of(&nowhere["hint"]).contains("hall setup"), "{nowhere}");
}

/// The verbs that a page of help lists.
fn verbs(help: &str) -> Vec<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.trim().is_empty());
    let names = listed
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_verb_has_a_page_in_the_manual() {
    let home = PathBuf::from("/nowhere");
    let desk = tempfile::tempdir().expect("a temporary folder");
    let folder = desk.path().join("man");
    let written = hall(&home, &["man", "--out", &folder.display().to_string(), "--json"]).object();
    let pages: Vec<&str> = written["pages"].as_array().expect("pages").iter().map(text_of).collect();
    assert!(pages.contains(&"hall.1"), "{pages:?}");
    let all = verbs(&hall(&home, &["--help"]).ends(0).stdout);
    assert!(all.len() >= 21, "{all:?}");
    let mut expected = 1;
    for verb in &all {
        let help = hall(&home, &["help", verb]).ends(0).stdout;
        assert!(help.contains("Examples:") || help.contains("What can be named:"), "the help of {verb} has no example");
        let below = verbs(&help);
        expected += 1 + below.len();
        for name in std::iter::once(verb.clone()).chain(below.iter().map(|below| format!("{verb}-{below}"))) {
            assert!(pages.contains(&format!("hall-{name}.1").as_str()), "there is no page of {name}");
            let page = text(&folder.join(format!("hall-{name}.1")));
            for part in [".TH", ".SH NAME", ".SH SYNOPSIS", "Skillhall"] {
                assert!(page.contains(part), "{name} has no {part}");
            }
        }
    }
    assert_eq!(pages.len(), expected, "{pages:?}");
    let one = hall(&home, &["man", "keys", "rotate"]).ends(0).stdout;
    assert_eq!(one, text(&folder.join("hall-keys-rotate.1")));
    let error = hall(&home, &["man", "runn", "--json"]).error(2);
    assert!(text_of(&error["hint"]).contains("hall run"), "{error}");
    // Where groff is, it finds nothing to warn of.
    if let Ok(groff) = Command::new("groff").arg("--version").output() {
        assert!(groff.status.success());
        for page in &pages {
            let read =
                Command::new("groff").args(["-man", "-Tutf8", "-ww", "-z"]).arg(folder.join(page)).output().expect("groff runs");
            assert_eq!((read.status.success(), read.stderr.as_slice()), (true, [].as_slice()), "{page}: {read:?}");
        }
    }
}

#[test]
fn completions_of_each_shell_load() {
    let home = PathBuf::from("/nowhere");
    let object = hall(&home, &["completions", "bash", "--json"]).object();
    assert_eq!(object["shell"], "bash");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = hall(&home, &["completions", shell]).ends(0).stdout;
        for word in ["quickstart", "rotate", "enroll"] {
            assert!(script.contains(word), "{shell} knows no {word}");
        }
        // Each shell that is here reads the script, and finds nothing wrong with it.
        let (program, arguments) = match shell {
            "bash" => ("bash", ["--norc", "-eu", "-c", "eval \"$(cat)\"; complete -p hall >/dev/null"].as_slice()),
            "zsh" => ("zsh", ["-f", "-n", "/dev/stdin"].as_slice()),
            "fish" => ("fish", ["--no-config", "-c", "source -"].as_slice()),
            _ => continue,
        };
        if Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success()) {
            let mut child = Command::new(program);
            child.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = child.spawn().expect("the shell starts");
            std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), script.as_bytes()).expect("it reads");
            let read = child.wait_with_output().expect("the shell ends");
            assert_eq!((read.status.success(), read.stderr.as_slice()), (true, [].as_slice()), "{shell}: {read:?}");
        }
    }
    assert_eq!(hall(&home, &["completions", "tcsh", "--json"]).error(2)["kind"], "usage");
}

//! Quotas of organisations, end to end: what is counted, whose it is, that no race and no death of a process gets past it.

use std::process::Stdio;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skillhall::hall::{Config, Hall, Receipt, Refused, Silent};
use skillhall::sandbox::LocalPowers;
use skillhall_core::capability::tools::{Grant, parse_versions};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::{Call, Caller};
use skillhall_core::id::OrgId;
use skillhall_core::ledger::EventKind;
use skillhall_core::quotas::Counted;
use skillhall_tests::callers::caller;
use skillhall_tests::command::{command, hall as hall_command};
use skillhall_tests::files::{put, text};
use skillhall_tests::skills::{self, REDACT, write};
use skillhall_tests::world::{TEXT, World, call, good_call, install, records_from, run, run_as, size};
use tokio::runtime::Builder;

/// A ready hall whose hall.toml has this under `[quotas]`.
fn world(quotas: &str) -> World {
    let world = World::ready();
    limit(&world, quotas);
    world
}

fn limit(world: &World, quotas: &str) {
    let config = world.home().join("hall.toml");
    put(&config, format!("{}\n[quotas]\n{quotas}\n", text(&config)).as_bytes());
    world.open().enroll().expect("the host is enrolled");
}

fn acme() -> OrgId {
    "acme".parse().expect("a name")
}

fn counted(hall: &Hall) -> Counted {
    hall.quota(&acme()).expect("it can be counted").expect("there are quotas").counted
}

fn denial<T: std::fmt::Debug>(outcome: Result<T, Refused>) -> Denial {
    match outcome {
        Err(Refused::Denied { denial, .. }) => denial,
        other => panic!("it was not denied: {other:?}"),
    }
}

/// The runs that the ledger let in from this record on.
fn allowed(hall: &Hall, from: u64) -> usize {
    let records = records_from(hall, from);
    records.iter().filter(|record| record.event.kind == EventKind::SkillComplete).count()
}

#[test]
fn a_call_beyond_the_quota_is_told_which_how_much_and_when() {
    let world = world("calls_per_minute = 2");
    let hall = world.open();
    for _ in 0..2 {
        drop(run(&hall, good_call()).expect("it runs"));
    }
    let before = size(&hall);
    let denial = denial(run(&hall, good_call()));
    assert_eq!(denial.code, Code::QuotaExceeded);
    assert!(denial.message.contains("acme has made 2 of 2 calls a minute"), "{}", denial.message);
    let details = |name: &str| denial.details.get(name).cloned().unwrap_or_default();
    assert_eq!((details("quota"), details("used"), details("allowed")), (json!("calls_per_minute"), json!(2), json!(2)));
    let free = counted(&hall).next_call_at.expect("one is counted");
    assert_eq!(details("free_at"), json!(free.to_string()));
    let records = records_from(&hall, before);
    assert_eq!(records.iter().map(|record| record.event.code).collect::<Vec<_>>(), [Some(Code::QuotaExceeded); 2]);
    // Another organisation, and other figures.
    let owner = hall.caller().expect("the owner is known").expect("the test owns the hall");
    let rival = Caller { organisation: "rival".parse().expect("a name"), ..owner };
    assert_eq!(self::denial(run_as(&hall, good_call(), Some(rival))).code, Code::NamespaceUnauthorized);
    // A minute later it is free.
    world.clock.ahead(1);
    drop(run(&hall, good_call()).expect("it runs again"));
}

#[test]
fn an_organisation_has_its_own_figures_and_without_any_nothing_is_counted() {
    let world = world("calls_per_minute = 1\n[quotas.organisations.acme]\ncalls_per_minute = 3");
    let hall = world.open();
    for _ in 0..3 {
        drop(run(&hall, good_call()).expect("it runs"));
    }
    assert_eq!(denial(run(&hall, good_call())).code, Code::QuotaExceeded);
    let world = self::world("[quotas.organisations.rival]\ncalls_per_minute = 1");
    let hall = world.open();
    for _ in 0..3 {
        drop(run(&hall, good_call()).expect("it runs"));
    }
    assert!(hall.quota(&acme()).expect("it answers").is_none());
    assert!(!world.home().join("quotas").exists(), "nothing is counted, and nothing is made");
}

#[test]
fn of_sixty_four_threads_in_four_halls_exactly_as_many_run_as_the_quota_has() {
    for (quotas, shares, waits) in [("calls_per_minute = 10", 10, false), ("concurrent_runs = 5", 5, true)] {
        let world = World::bare();
        install(&world.open(), &skills::wait());
        limit(&world, quotas);
        let halls: Vec<Hall> = (0..4).map(|_| world.open()).collect();
        drop(Hall::open(world.config()).expect("the hall opens"));
        let nanos = if waits { 8_000_000_000_u64 } else { 1 };
        let start = Barrier::new(64);
        let before = size(&halls[0]);
        let (ran, denied): (Vec<_>, Vec<_>) = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..64)
                .map(|number| {
                    let (hall, start) = (&halls[number % 4], &start);
                    scope.spawn(move || {
                        start.wait();
                        run(hall, call("org.skillhall/wait@1.0.0", &format!("{{\"nanos\": {nanos}}}")))
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().expect("it ends")).partition(Result::is_ok)
        });
        assert_eq!((ran.len(), denied.len()), (shares, 64 - shares), "{quotas}");
        for refused in denied {
            assert_eq!(denial(refused).code, Code::QuotaExceeded);
        }
        assert_eq!(allowed(&halls[0], before), shares);
        assert_eq!(counted(&halls[0]).runs, 0, "every place came back");
    }
}

#[test]
fn the_place_of_a_process_that_is_killed_comes_back_and_its_whole_budget_counts() {
    let world = World::bare();
    hall_command(&world.home(), &["setup", "--enroll", "--json"]).object();
    for (name, package) in [("redact", skills::redact()), ("spin", skills::spin())] {
        write(&package, world.desk(), name);
        let folder = world.desk().join(name).display().to_string();
        for verb in ["attest", "certify", "publish", "install"] {
            hall_command(&world.home(), &[verb, &folder, "--json"]).object();
        }
    }
    let config = world.home().join("hall.toml");
    put(&config, format!("{}\n[quotas]\nconcurrent_runs = 1\nguest_seconds_per_day = 100\n", text(&config)).as_bytes());
    hall_command(&world.home(), &["worker", "enroll", "--json"]).object();
    let before = size(&world.open());
    let mut spinning = command(&world.home(), &["run", "org.skillhall/spin@1.0.0", "--json"]);
    let mut child = spinning.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command starts");
    let started = Instant::now();
    while records_from(&world.open(), before).is_empty() {
        assert!(started.elapsed() < Duration::from_secs(60), "the run is not recorded");
        std::thread::sleep(Duration::from_millis(20));
    }
    let again = || hall_command(&world.home(), &["run", REDACT, "--input", "{\"text\": \"\"}", "--json"]);
    let error = again().error(3);
    assert_eq!(
        (&error["code"], &error["details"]["quota"]),
        (&json!("DENY_QUOTA_EXCEEDED"), &json!("concurrent_runs")),
        "{error}"
    );
    child.kill().and_then(|()| child.wait()).expect("the process is gone");
    assert_eq!(again().object()["decision"], "ALLOW");
    let used = hall_command(&world.home(), &["usage", "--org", "--json"]).object();
    let counted = &used["quotas"]["acme"]["counted"];
    assert_eq!(counted["runs"], 0, "{used}");
    // A minute was asked for, and what of it was used nobody knows.
    assert!(counted["time_us"].as_u64().is_some_and(|time| (60_000_000..90_000_000).contains(&time)), "{used}");
    let told = hall_command(&world.home(), &["usage"]).ends(0).stdout;
    assert!(told.contains("guest_seconds_per_day") && told.contains("DENY_QUOTA_EXCEEDED 1"), "{told}");
}

#[test]
fn what_is_denied_or_only_tried_counts_nothing() {
    let world = world("calls_per_minute = 1\nconcurrent_runs = 1\nguest_seconds_per_day = 60");
    let hall = world.open();
    let owner = hall.caller().expect("the owner is known");
    for _ in 0..3 {
        assert_eq!(denial(run(&hall, call(REDACT, "{\"text\": 1}"))).code, Code::InputSchema);
        hall.dry_run(good_call(), owner.clone(), &mut Silent).expect("it would run");
    }
    assert_eq!(counted(&hall).calls, 0);
    drop(run(&hall, good_call()).expect("it runs"));
    // A dry run is told that the call would be denied.
    assert_eq!(denial(hall.dry_run(good_call(), owner, &mut Silent).map(drop)).code, Code::QuotaExceeded);
}

#[test]
fn an_approval_is_not_used_up_by_a_call_beyond_the_quota() {
    const ASKS: &str = r#"{"rules": [{"rule_id": "asks", "match": {"capability_id": {"any": true}}, "decision": {
        "candidate_workers_ranked": [{"worker_species_id": "wrk.*", "score_hint": 1.0}], "required_controls_suggested": [],
        "escalation": {"policy_gate": false, "human_required_default": true}, "preconditions": {}}}]}"#;
    let world = World::ready();
    put(&world.home().join("rules.json"), ASKS.as_bytes());
    limit(&world, "bytes_per_day = 1000");
    // The run may move more than the whole quota, which is seen when its share is taken: after gate 10.
    let hall = world.open();
    let asked = denial(run(&hall, good_call()));
    assert_eq!(asked.code, Code::RequiresHuman);
    let id = asked.details["approval"].as_str().expect("a person is asked").to_owned();
    let mut sealed = String::new();
    let keep = |text: &str| {
        text.clone_into(&mut sealed);
        Ok(())
    };
    hall.new_approver("bob", b"correct horse battery", None, keep).expect("an approver is made");
    let key = skillhall_core::trust::keys::SigningKey::from_sealed_pem(&sealed, b"correct horse battery").expect("the key opens");
    hall.answer(&id, skillhall_core::trust::approve::Answer::Approved, "seen", &key).expect("it is approved");
    let denied = denial(run(&hall, good_call().approval(Some(id.clone()))));
    assert_eq!((denied.code, denied.details.contains_key("free_at")), (Code::QuotaExceeded, false), "{denied:?}");
    assert!(denied.hint().contains("[limits]"), "{}", denied.hint());
    let state = hall.approval(&id).expect("it is known").state;
    assert!(matches!(state, skillhall_core::registry::approval::ApprovalState::Approved(_)), "{state:?}");
    let kinds: Vec<EventKind> = records_from(&hall, 0).iter().map(|record| record.event.kind).collect();
    assert!(!kinds.contains(&EventKind::ApprovalUsed));
}

#[test]
fn a_run_counts_what_its_record_says_also_when_nobody_waits_for_it() {
    let world = World::bare();
    install(&world.open(), &skills::wait());
    install(&world.open(), &skills::redact());
    limit(&world, "guest_seconds_per_day = 1000\nbytes_per_day = 10000000000");
    let hall = world.open();
    let receipt = run(&hall, good_call()).expect("it runs");
    let used = receipt.resources();
    let bytes = used.input_bytes.used + used.output_bytes.used + used.host_call_bytes.used;
    let first = counted(&hall);
    assert_eq!((first.time_us, first.bytes, first.runs, first.held_bytes), (used.wall_us.used, bytes, 0, 0));
    assert!(bytes > 0);
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let waiting = call("org.skillhall/wait@1.0.0", "{\"nanos\": 60000000000}");
    runtime.block_on(async {
        let running = hall.execute(waiting);
        assert!(tokio::time::timeout(Duration::from_secs(2), running).await.is_err(), "it waits");
    });
    let second = counted(&hall);
    let ended = records_from(&hall, 0).pop().expect("an end").event;
    assert_eq!(ended.resources["wall_us"]["used"], second.time_us - first.time_us);
    assert_eq!((second.runs, second.held_time_us), (0, 0));
}

#[test]
fn what_a_skill_calls_counts_for_the_same_caller_and_its_time_once() {
    let world = World::ready();
    install(&world.open(), &caller("one", &[("org.skillhall/redact", "^1")], ""));
    let grant = Grant::new("org.skillhall/redact".parse().expect("a skill"), parse_versions("*").expect("a range"));
    let give = |before: &skillhall_core::capability::Policy| {
        let mut after = before.clone();
        after.tools.push(grant);
        after
    };
    world.open().grant(&"org.skillhall/one".parse().expect("a skill"), give).expect("it is granted");
    let nesting = || -> Call {
        let input = json!({ "skill": "org.skillhall/redact", "tool": "redact", "input": json!({ "text": TEXT }).to_string() });
        call("org.skillhall/one@1.0.0", &input.to_string()).tool("call".parse().expect("a tool"))
    };
    let open = |world: &World| Hall::open(Config::powers(world.config(), Arc::new(LocalPowers::default()))).expect("it opens");
    let execute = |hall: &Hall| -> Receipt {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(hall.execute(nesting())).expect("the host is well")
    };
    limit(&world, "calls_per_minute = 3\nconcurrent_runs = 2\nguest_seconds_per_day = 31");
    let hall = open(&world);
    let receipt = execute(&hall);
    assert_eq!(receipt.calls()[0].outcome, "done", "{receipt:?}");
    let after = counted(&hall);
    // The outer run waits for the inner one: its time holds both, and what both may use is what it holds.
    assert_eq!((after.calls, after.runs, after.time_us), (2, 0, receipt.resources().wall_us.used));
    let receipt = execute(&hall);
    assert_eq!(receipt.calls()[0].outcome, "DENY_QUOTA_EXCEEDED", "the fourth call within the minute");
    let report = hall.usage(&Default::default()).expect("the ledger is read");
    let of = &report.organisations["acme"];
    assert_eq!((of.total.allowed, of.total.denied, of.skills.len()), (3, 1, 2));
    assert_eq!(of.total.guest_time_us, counted(&hall).time_us);
    assert_eq!(of.skills["org.skillhall/redact"].denials[&Code::QuotaExceeded], 1);
    // With one place, what has it keeps what it calls from running.
    let config = world.home().join("hall.toml");
    put(&config, text(&config).replace("concurrent_runs = 2", "concurrent_runs = 1").replace("= 3\n", "= 100\n").as_bytes());
    world.open().enroll().expect("the host is enrolled");
    let receipt = execute(&open(&world));
    assert_eq!(receipt.calls()[0].outcome, "DENY_QUOTA_EXCEEDED", "{receipt:?}");
}

#[test]
fn usage_is_told_of_the_ledger_alone() {
    let world = World::ready();
    let hall = world.open();
    install(
        &hall,
        &skills::assemble(&skills::source_of("fall", ""), skills::component(skills::TRAP), None).expect("it is built"),
    );
    let mut time = 0;
    for _ in 0..3 {
        time += run(&hall, good_call()).expect("it runs").resources().wall_us.used;
    }
    let fallen = run(&hall, call("org.skillhall/fall@1.0.0", "{}")).expect("it is let in");
    assert_eq!(denial(run(&hall, call(REDACT, "{}"))).code, Code::InputSchema);
    assert_eq!(denial(run_as(&hall, good_call(), None)).code, Code::Unauthenticated);
    let told = hall_command(&world.home(), &["usage", "--json"]).object();
    let total = &told["organisations"]["acme"]["total"];
    assert_eq!(
        (&total["allowed"], &total["denied"], &total["done"], &total["failed"]),
        (&json!(4), &json!(1), &json!(3), &json!(1))
    );
    assert_eq!((&total["denials"], &total["failures"]), (&json!({"DENY_INPUT_SCHEMA": 1}), &json!({"FAIL_TRAP": 1})));
    assert_eq!(total["guest_time_us"], time + fallen.resources().wall_us.used);
    let skills = told["organisations"]["acme"]["skills"].as_object().expect("skills");
    assert_eq!(skills.keys().collect::<Vec<_>>(), ["org.skillhall/fall", "org.skillhall/redact"]);
    assert_eq!((&skills["org.skillhall/redact"]["guest_time_us"], &told["quotas"]), (&json!(time), &json!({})));
    assert_eq!(told["of_nobody"]["denials"], json!({"DENY_UNAUTHENTICATED": 1}));
    let own = hall_command(&world.home(), &["usage", "--org", "--json"]).object();
    assert_eq!((own["organisations"].clone(), own.get("of_nobody")), (told["organisations"].clone(), None::<&Value>));
    for none in [["--org", "rival"], ["--since", "2100-01-01T00:00:00Z"], ["--until", "2020-01-01T00:00:00Z"]] {
        let told = hall_command(&world.home(), &[&["usage", "--json"], &none[..]].concat()).object();
        assert_eq!(told["organisations"], json!({}), "{none:?}");
    }
    let told = hall_command(&world.home(), &["usage"]).ends(0).stdout;
    assert!(told.contains("4 allowed, 1 denied, 1 failed") && told.contains("FAIL_TRAP 1"), "{told}");
}

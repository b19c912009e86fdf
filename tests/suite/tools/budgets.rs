//! A called skill gets at most what its caller has left, and what it uses is taken from that.

use serde_json::{Value, json};
use skillhall_tests::callers::{caller, hog, spinning};
use skillhall_tests::world::TEXT;

use super::{Desk, about, asking, calling, execute, sound, told};

/// The figure of a called skill's run, used and allowed.
fn figure(records: &[skillhall_core::ledger::Record], name: &str) -> (u64, u64) {
    let figure: &Value = &records.last().expect("a record").event.resources[name];
    (figure["used"].as_u64().expect("a figure"), figure["allowed"].as_u64().expect("a figure"))
}

#[test]
fn memory_is_what_both_hold_together() {
    // By itself the greedy skill may hold 64 MiB. Its caller holds 1 MiB of its 16.
    let packages = [hog(), caller("one", &[("org.skillhall/hog", "1")], "[limits]\nmemory = \"16MiB\"")];
    let desk = Desk::new(&packages, &[("one", "hog")]);
    let hall = desk.open();
    // The called skill begins with 1 MiB: 14 more are 16 in all.
    let grow = |pages: u32| execute(&hall, calling("one", "call", &asking("hog", "grow", &json!({ "pages": pages }))));
    let receipt = grow(14 * 16);
    assert_eq!(receipt.output(), Some(&json!("16")), "{receipt:?}");
    assert_eq!(figure(&about(&hall, "hog"), "memory_peak_bytes"), (15 << 20, 15 << 20));
    assert_eq!(receipt.resources().memory_peak_bytes.used, 16 << 20, "the peak of the caller is that of both");
    // A page more is too much for the called skill; the caller goes on.
    let receipt = grow(14 * 16 + 1);
    assert_eq!(told(&receipt)["failed"]["code"], "FAIL_MEMORY", "{receipt:?}");
    sound(&hall);
}

#[test]
fn a_run_with_nothing_left_calls_nobody() {
    // Its own memory is all that it may have.
    let packages = [hog(), caller("one", &[("org.skillhall/hog", "1")], "[limits]\nmemory = \"1MiB\"")];
    let desk = Desk::new(&packages, &[("one", "hog")]);
    let hall = desk.open();
    let receipt = execute(&hall, calling("one", "call", &asking("hog", "grow", &json!({ "pages": 0 }))));
    assert_eq!(told(&receipt), &json!({ "refused": "budget" }));
    let [refusal] = receipt.refusals() else { panic!("{receipt:?}") };
    assert_eq!(
        (json!(refusal.reason), refusal.message.as_str()),
        (json!("budget"), "the calling run has no memory left for another")
    );
    assert!(about(&hall, "hog").is_empty());
}

#[test]
fn output_of_both_is_one_output() {
    let packages = [hog(), caller("one", &[("org.skillhall/hog", "1")], "[limits]\noutput = \"100kB\"")];
    let desk = Desk::new(&packages, &[("one", "hog")]);
    let hall = desk.open();
    let tell = |bytes: u32| execute(&hall, calling("one", "call", &asking("hog", "tell", &json!({ "bytes": bytes }))));
    let receipt = tell(40_000);
    // Once from the called skill, in quotes, and once from its caller, in quotes within quotes.
    assert_eq!(receipt.resources().output_bytes.used, 40_002 + 40_006, "{:?}", receipt.failure());
    // What both give out together is too much for the caller, though neither is by itself.
    let receipt = tell(60_000);
    assert_eq!(receipt.failure().map(|failure| failure.code.as_str()), Some("FAIL_OUTPUT"));
    assert_eq!(receipt.calls()[0].outcome, "done");
    let receipt = tell(100_000);
    assert_eq!(receipt.calls()[0].outcome, "FAIL_OUTPUT");
    sound(&hall);
}

#[test]
fn fuel_of_both_is_one_fuel() {
    let limits = "[limits]\nfuel = 50000000";
    let packages = [
        spinning("spin", "[limits]\ntime = \"60s\"\n"),
        caller("one", &[("org.skillhall/redact", "1"), ("org.skillhall/spin", "1")], limits),
    ];
    let desk = Desk::new(&packages, &[("one", "redact"), ("one", "spin")]);
    let hall = desk.open();
    let receipt = execute(&hall, calling("one", "call", &asking("redact", "redact", &json!({ "text": TEXT }))));
    assert!(receipt.output().is_some(), "{receipt:?}");
    let (used, allowed) = figure(&about(&hall, "redact"), "fuel");
    assert!(allowed < 50_000_000 && used > 1_000, "the called skill's fuel is what is left: {used} of {allowed}");
    let both = receipt.resources().fuel.expect("fuel is counted").used;
    assert!(both > used && both < used + 100_000, "{both} is not {used} and a little");
    // Who spins in the place of its caller ends with its caller's fuel.
    let receipt = execute(&hall, calling("one", "call", &asking("spin", "spin", &json!({}))));
    assert_eq!(receipt.calls()[0].outcome, "FAIL_FUEL");
    assert_eq!(receipt.failure().map(|failure| failure.code.as_str()), Some("FAIL_FUEL"));
    assert_eq!(receipt.resources().fuel.map(|fuel| fuel.used), Some(50_000_000));
    sound(&hall);
}

#[test]
fn time_is_the_callers() {
    let packages = [
        spinning("spin", "[limits]\ntime = \"60s\"\n"),
        spinning("brief", "[limits]\ntime = \"200ms\"\n"),
        caller("one", &[("org.skillhall/spin", "1"), ("org.skillhall/brief", "1")], "[limits]\ntime = \"2s\""),
    ];
    let desk = Desk::new(&packages, &[("one", "spin"), ("one", "brief")]);
    let hall = desk.open();
    // Its own time, if that is less: its caller goes on.
    let receipt = execute(&hall, calling("one", "call", &asking("brief", "spin", &json!({}))));
    assert_eq!(told(&receipt)["failed"]["code"], "FAIL_TIME", "{receipt:?}");
    assert_eq!(figure(&about(&hall, "brief"), "wall_us").1, 200_000);
    // Its caller's rest, if that is less.
    let began = std::time::Instant::now();
    let receipt = execute(&hall, calling("one", "call", &asking("spin", "spin", &json!({}))));
    assert!(began.elapsed().as_millis() < 4_000, "{:?}", began.elapsed());
    assert!(figure(&about(&hall, "spin"), "wall_us").1 <= 2_000_000);
    let failed = receipt.failure().expect("it fails");
    let by_its_own = failed.code.as_str() == "FAIL_TIME";
    assert!(by_its_own || told(&receipt)["failed"]["code"] == "FAIL_TIME", "{receipt:?}");
    sound(&hall);
}

#[test]
fn host_calls_of_both_are_one_count() {
    let packages = [caller("two", &[("org.skillhall/redact", "1")], ""), caller("one", &[("org.skillhall/two", "1")], "")];
    let desk = Desk::new(&packages, &[("one", "two"), ("two", "redact")]);
    let hall = desk.open();
    let inner = asking("redact", "redact", &json!({ "text": TEXT }));
    let receipt = execute(&hall, calling("one", "call", &asking("two", "call", &inner)));
    assert!(receipt.output().is_some(), "{receipt:?}");
    let (deepest, deepest_allowed) = figure(&about(&hall, "redact"), "host_calls");
    let (middle, middle_allowed) = figure(&about(&hall, "two"), "host_calls");
    assert_eq!((middle, receipt.resources().host_calls.used), (deepest + 1, deepest + 2));
    assert_eq!((middle_allowed, deepest_allowed), (99_999, 99_998));
    let bytes = receipt.resources().host_call_bytes.used;
    assert!(bytes > figure(&about(&hall, "two"), "host_call_bytes").0, "{bytes}");
}

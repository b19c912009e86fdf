//! What a calling skill is refused, what it is told, and what it is not told.

use serde_json::{Value, json};
use skillhall::hall::{Hall, Receipt};
use skillhall_core::registry::{Scope, State, Target};
use skillhall_tests::callers::{caller, falling, spinning};
use skillhall_tests::skills::{REDACT, count};
use skillhall_tests::world::TEXT;

use super::{Desk, about, asking, calling, execute, sound, told};

/// How the receipt tells a refusal: reason and outcome.
fn refused(receipt: &Receipt) -> (Value, String) {
    let [refusal] = receipt.refusals() else { panic!("{receipt:?}") };
    assert_eq!(refusal.capability, "tools");
    (json!(refusal.reason), receipt.calls().last().map(|called| called.outcome.clone()).unwrap_or_default())
}

#[test]
fn a_skill_that_is_not_granted_cannot_be_called_be_it_there_or_not() {
    let desk = Desk::new(&[falling("fall", "1.0.0"), caller("one", &[("org.skillhall/fall", "^1")], "")], &[("one", "fall")]);
    let hall = desk.open();
    for skill in ["redact", "no-such-skill", "one", "fall/..", "fall@1.0.0", "FALL", ""] {
        let receipt = execute(&hall, calling("one", "call", &asking(skill, "redact", &json!({ "text": TEXT }))));
        assert_eq!(told(&receipt), &json!({ "refused": "undeclared" }), "{skill}");
        assert_eq!(refused(&receipt), (json!("skill"), "undeclared".to_owned()), "{skill}");
        assert_eq!(receipt.calls()[0].decision_id, None);
    }
    assert!(about(&hall, "redact").is_empty() && about(&hall, "fall").is_empty(), "nothing came to the gates");
    sound(&hall);
}

#[test]
fn what_the_policy_does_not_grant_is_denied_before_anything_runs() {
    let asks = [("org.skillhall/redact", "^1"), ("org.skillhall/fall", ">=1, <2")];
    let desk = Desk::new(&[caller("one", &asks, "")], &[]);
    let call = || calling("one", "call", &asking("redact", "redact", &json!({ "text": TEXT })));
    let receipt = execute(&desk.open(), call());
    let denial = receipt.denial().expect("it is denied");
    assert_eq!(denial.code.as_str(), "DENY_CAPABILITY_NOT_GRANTED");
    let line = "hall grant org.skillhall/one --tool org.skillhall/redact@^1 --tool 'org.skillhall/fall@>=1, <2'";
    assert!(denial.hint().ends_with(line), "{}", denial.hint());
    // One of the two is not enough.
    desk.grant("one", "redact");
    let receipt = execute(&desk.open(), call());
    let denial = receipt.denial().expect("it is denied");
    assert!(denial.hint().ends_with("hall grant org.skillhall/one --tool 'org.skillhall/fall@>=1, <2'"), "{}", denial.hint());
    desk.grant("one", "fall");
    assert!(execute(&desk.open(), call()).output().is_some());
}

#[test]
fn a_cycle_is_refused_wherever_it_closes() {
    let packages = [
        caller("one", &[("org.skillhall/two", "1"), ("org.skillhall/one", "*")], ""),
        caller("two", &[("org.skillhall/three", "1"), ("org.skillhall/one", "1")], ""),
        caller("three", &[("org.skillhall/one", "1")], ""),
    ];
    let grants = [("one", "two"), ("one", "one"), ("two", "three"), ("two", "one"), ("three", "one")];
    let (hall, _desk) = Desk::new(&packages, &grants).open_kept();
    let hall = &hall;
    let any = json!({ "skill": "", "tool": "", "input": "" });
    // Itself.
    let receipt = execute(hall, calling("one", "call", &asking("one", "call", &any)));
    assert_eq!(told(&receipt), &json!({ "refused": "cycle" }));
    assert_eq!(refused(&receipt), (json!("cycle"), "cycle".to_owned()));
    // By way of another: the error comes back through that one.
    let receipt = execute(hall, calling("one", "call", &asking("two", "call", &asking("one", "call", &any))));
    assert_eq!(told(&receipt), &json!({ "skill": "{\"refused\":\"cycle\"}" }));
    let through_three = asking("three", "call", &asking("one", "call", &any));
    let receipt = execute(hall, calling("one", "call", &asking("two", "call", &through_three)));
    assert!(told(&receipt).to_string().contains("cycle"), "{receipt:?}");
    assert_eq!(receipt.resources().tool_calls.map(|figure| figure.used), Some(3));
    assert_eq!(about(hall, "one").len(), 6, "one ran three times, each time called from outside");
    sound(hall);
}

impl Desk {
    /// The hall, and what it lies in.
    fn open_kept(self) -> (Hall, Self) {
        (self.open(), self)
    }
}

#[test]
fn calls_nest_as_deep_as_the_host_says() {
    let names = ["one", "two", "three", "four", "five", "six"];
    let mut packages = vec![];
    let mut grants = vec![];
    for pair in names.windows(2) {
        packages.push(caller(pair[0], &[(&format!("org.skillhall/{}", pair[1]), "1")], ""));
        grants.push((pair[0], pair[1]));
    }
    packages.push(falling("six", "1.0.0"));
    let (hall, _desk) = Desk::new(&packages, &grants).open_kept();
    let mut input = json!({});
    for (callee, tool) in [("six", "fall"), ("five", "call"), ("four", "call"), ("three", "call"), ("two", "call")] {
        input = asking(callee, tool, &input);
    }
    let receipt = execute(&hall, calling("one", "call", &input));
    assert!(told(&receipt).to_string().contains("too-deep"), "{receipt:?}");
    assert_eq!(about(&hall, "five").len(), 2, "the fourth call below the first runs");
    assert!(about(&hall, "six").is_empty(), "the fifth does not");
    sound(&hall);

    // A call less, and it is the trap that comes back through all of them.
    let receipt =
        execute(&hall, calling("two", "call", &serde_json::from_str(input["input"].as_str().expect("a text")).expect("JSON")));
    assert!(told(&receipt).to_string().contains("FAIL_TRAP"), "{receipt:?}");
}

#[test]
fn a_flood_of_calls_ends_the_run() {
    let packages = [falling("fall", "1.0.0"), caller("one", &[("org.skillhall/fall", "1")], "")];
    let desk = Desk::new(&packages, &[("one", "fall")]);
    let hall = desk.open();
    for callee in ["fall", "not-granted"] {
        let receipt = execute(&hall, calling("one", "flood", &asking(callee, "fall", &json!({}))));
        let failure = receipt.failure().expect("it fails");
        assert_eq!(failure.code.as_str(), "FAIL_HOST_CALLS");
        assert_eq!(failure.message, "the run called other skills more than 16 times");
        assert_eq!((receipt.calls().len(), receipt.resources().tool_calls.map(|figure| figure.used)), (16, Some(17)));
    }
    assert_eq!(about(&hall, "fall").len(), 32);
    sound(&hall);
}

#[test]
fn a_flood_that_two_skills_share_is_one_flood() {
    let packages = [
        falling("fall", "1.0.0"),
        caller("two", &[("org.skillhall/fall", "1")], ""),
        caller("one", &[("org.skillhall/two", "1")], ""),
    ];
    let desk = Desk::new(&packages, &[("one", "two"), ("two", "fall")]);
    let hall = desk.open();
    let flood = asking("fall", "fall", &json!({}));
    let receipt = execute(&hall, calling("one", "flood", &asking("two", "flood", &flood)));
    assert_eq!(receipt.failure().map(|failure| failure.code.as_str()), Some("FAIL_HOST_CALLS"));
    assert_eq!(about(&hall, "fall").len() / 2, 15, "all calls together are sixteen");
    sound(&hall);
}

#[test]
fn what_the_gates_refuse_comes_back_as_an_error_that_tells_the_code_alone() {
    let asks = [("org.skillhall/redact", "^1"), ("org.skillhall/count", "^1"), ("org.skillhall/nowhere", "^1")];
    let desk = Desk::new(&[count(), caller("one", &asks, "")], &[("one", "redact"), ("one", "count"), ("one", "nowhere")]);
    let hall = desk.open();
    let ask = |callee: &str, tool: &str, input: &str| {
        let input = json!({ "skill": format!("org.skillhall/{callee}"), "tool": tool, "input": input });
        let receipt = execute(&hall, calling("one", "call", &input));
        (told(&receipt)["denied"].clone(), receipt)
    };
    // What it did itself it is told: where its input does not fit, and that there is no such tool.
    let (denied, receipt) = ask("redact", "redact", "{\"text\": 5}");
    assert_eq!(denied["code"], "DENY_INPUT_SCHEMA");
    assert!(denied["message"].as_str().is_some_and(|message| message.contains("/text")), "{denied}");
    assert_eq!(receipt.calls()[0].outcome, "DENY_INPUT_SCHEMA");
    for input in ["", "{", "{\"text\": \"\", \"text\": \"\"}", "null"] {
        assert_eq!(ask("redact", "redact", input).0["code"], "DENY_INPUT_SCHEMA", "{input}");
    }
    for tool in ["", "no-such", "../redact"] {
        assert_eq!(ask("redact", tool, "{\"text\": \"\"}").0["code"], "DENY_TOOL_UNKNOWN", "{tool}");
    }
    // What it was granted and is not there.
    assert_eq!(ask("nowhere", "x", "{}").0["code"], "DENY_SKILL_UNKNOWN");
    // What the called skill lacks is its operator's affair.
    let (denied, receipt) = ask("count", "count", "{\"key\": \"ada\"}");
    assert_eq!(denied["code"], "DENY_CAPABILITY_NOT_GRANTED");
    assert!(!denied.to_string().contains("visits"), "{denied}");
    let recorded = about(&hall, "count");
    let deny = recorded.last().expect("the denial is recorded");
    assert_eq!(deny.event.decision_id, receipt.calls()[0].decision_id);
    assert!(deny.event.data["message"].as_str().is_some_and(|message| message.contains("visits")), "{deny:?}");
    sound(&hall);
}

#[test]
fn a_skill_that_is_revoked_between_two_calls_is_denied_in_the_second() {
    let desk = Desk::new(&[caller("one", &[("org.skillhall/redact", "^1")], "")], &[("one", "redact")]);
    let hall = std::sync::Arc::new(desk.open());
    let other = hall.clone();
    let revoking = std::thread::spawn(move || {
        let since = std::time::Instant::now();
        while about(&other, "redact").len() < 2 {
            assert!(since.elapsed().as_secs() < 60, "the first call does not end");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let target = Target::Version(REDACT.parse().expect("a version"));
        other.stand(target, State::Revoked, Scope::Global, "a test").expect("it is revoked");
    });
    let receipt = execute(&hall, calling("one", "again", &asking("redact", "redact", &json!({ "text": TEXT }))));
    revoking.join().expect("nobody falls");
    assert_eq!(told(&receipt)["denied"]["code"], "DENY_SKILL_REVOKED", "{receipt:?}");
    let outcomes: Vec<&str> = receipt.calls().iter().map(|called| called.outcome.as_str()).collect();
    assert_eq!(outcomes, ["done", "DENY_SKILL_REVOKED"]);
    sound(&hall);
}

#[test]
fn a_skill_that_is_revoked_while_it_runs_is_stopped_and_its_caller_goes_on() {
    let packages = [spinning("spin", "[limits]\ntime = \"60s\"\n"), caller("one", &[("org.skillhall/spin", "1")], "")];
    let desk = Desk::new(&packages, &[("one", "spin")]);
    let hall = std::sync::Arc::new(desk.open());
    let other = hall.clone();
    let revoking = std::thread::spawn(move || {
        while about(&other, "spin").is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let target = Target::Skill("org.skillhall/spin".parse().expect("a skill"));
        other.stand(target, State::Revoked, Scope::Global, "a test").expect("it is revoked");
    });
    let receipt = execute(&hall, calling("one", "call", &asking("spin", "spin", &json!({}))));
    revoking.join().expect("nobody falls");
    assert_eq!(told(&receipt)["failed"]["code"], "FAIL_KILLED", "{receipt:?}");
    sound(&hall);
}

//! Policy gates that hall.toml names, from outside: who is asked, what belongs to the configuration, and the verbs about them.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;
use skillhall::hall::{Fault, Hall, Refused};
use skillhall_core::denial::{Code, Denial};
use skillhall_core::govern::call::DataLabel;
use skillhall_tests::command::{command, finish, hall};
use skillhall_tests::files::{put, repository, text};
use skillhall_tests::skills;
use skillhall_tests::world::{World, good_call, run};

const PERMIT: &str = "@reason(\"all\") permit (principal, action == Action::\"execute\", resource);\n";
const FORBID: &str = "@reason(\"none\") forbid (principal, action, resource);\n";

/// A hall whose policy section says this, too.
fn with(setting: &str, policies: &[(&str, &str)]) -> World {
    let world = World::ready();
    for (name, text) in policies {
        put(&world.home().join(name), text.as_bytes());
    }
    say(&world, setting);
    world
}

/// Adds this to the policy section.
fn say(world: &World, setting: &str) {
    let config = text(&world.home().join("hall.toml"));
    let config = config.replacen("rules = \"rules.json\"", &format!("rules = \"rules.json\"\n{setting}"), 1);
    put(&world.home().join("hall.toml"), config.as_bytes());
}

fn enrolled(setting: &str, policies: &[(&str, &str)]) -> World {
    let world = with(setting, policies);
    world.open().enroll().expect("it is enrolled");
    world
}

/// Why a call is denied for which the rules ask the policy gate; `None` if it runs.
fn gated(world: &World) -> Option<Denial> {
    let outcome = run(&world.open(), good_call().data_label(DataLabel::Restricted));
    crate::events::are_described(&world.home());
    match outcome {
        Ok(_) => None,
        Err(Refused::Denied { denial, .. }) => Some(denial),
        Err(Refused::Fault(fault)) => panic!("{fault}"),
    }
}

fn code(denial: &Option<Denial>) -> Option<Code> {
    denial.as_ref().map(|denial| denial.code)
}

#[test]
fn cedar_policies_of_the_hall_judge_its_calls() {
    let world = enrolled("cedar = [\"policies/*.cedar\"]", &[("policies/a.cedar", PERMIT)]);
    assert_eq!(code(&gated(&world)), None);
    let record =
        hall(&world.home(), &["audit", "list", "--event", "skill.execute", "--limit", "1", "--json"]).object().to_string();
    let check = hall(&world.home(), &["policy", "check", "--json"]).object();
    let version = check["policy_version"].as_str().expect("a version");
    assert!(version.starts_with("cedar.") && record.contains(version), "{version} stands in the record: {record}");
}

#[test]
fn an_edit_of_a_policy_denies_until_the_host_is_enrolled_with_it() {
    let world = enrolled("cedar = [\"policies/*.cedar\"]", &[("policies/a.cedar", PERMIT)]);
    assert_eq!(code(&gated(&world)), None);
    put(&world.home().join("policies/b.cedar"), FORBID.as_bytes());
    assert_eq!(code(&gated(&world)), Some(Code::HostTampered));
    let diff = hall(&world.home(), &["policy", "diff"]).ends(0).stdout;
    assert!(diff.contains("policies/b.cedar") && diff.contains("+@reason(\"none\")"), "{diff}");
    world.open().enroll().expect("it is enrolled");
    let denied = gated(&world);
    assert_eq!(code(&denied), Some(Code::PolicyGate));
    assert_eq!(denied.expect("denied").details["reason"], "none");
    fs::remove_file(world.home().join("policies/b.cedar")).expect("it is removed");
    assert_eq!(code(&gated(&world)), Some(Code::HostTampered));
}

/// What stands in the policy section, the files beside it, and a word of why the hall does not open.
type Unopened<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn a_hall_whose_gate_cannot_be_made_does_not_open() {
    let cases: [Unopened<'_>; 9] = [
        ("cedar = [\"policies/*.cedar\"]", &[("policies/a.cedar", "permit (")], "policies/a.cedar"),
        (
            "cedar = [\"policies/*.cedar\"]",
            &[("policies/a.cedar", "permit (principal, action, resource) when { context.x };")],
            "`x`",
        ),
        ("cedar = [\"policies/*.cedar\"]", &[("policies/a.txt", PERMIT)], "nothing in the hall's folder fits"),
        ("cedar = [\"../a.cedar\"]", &[], "is no path of .cedar files"),
        ("cedar = [\"policies/*.cedar\"]", &[("policies/a\n.cedar", PERMIT)], "no plain text"),
        ("command = [\"judge\"]", &[], "by its absolute path"),
        ("command = [\"../judge\"]", &[], "by its absolute path"),
        ("http = \"http://gate.example/\"", &[], "has no TLS"),
        ("command = [\"/bin/judge\"]\ngate_deadline_ms = 0", &[], "gate_deadline_ms is 1 to 60000"),
    ];
    for (setting, policies, says) in cases {
        let world = with(setting, policies);
        match Hall::open(world.config()) {
            Err(Fault::Configuration(message)) => assert!(message.contains(says), "{setting}: {message}"),
            Err(other) => panic!("{setting}: {other:?}"),
            Ok(_) => panic!("{setting}: it opens"),
        }
    }
    let world = with("cedar = [\"a.cedar\"]", &[]);
    std::os::unix::fs::symlink("rules.json", world.home().join("a.cedar")).expect("a link is made");
    assert!(matches!(Hall::open(world.config()), Err(Fault::Unsafe { .. })));

    let world = with("cedar = [\"a.cedar\"]", &[("a.cedar", PERMIT)]);
    fs::set_permissions(world.home().join("a.cedar"), Permissions::from_mode(0o666)).expect("its mode is changed");
    assert!(matches!(Hall::open(world.config()), Err(Fault::Unsafe { .. })));

    let world = World::ready();
    let judge = world.desk().join("judge");
    put(&judge, b"#!/bin/sh\n");
    fs::set_permissions(&judge, Permissions::from_mode(0o777)).expect("its mode is changed");
    say(&world, &format!("command = [{judge:?}]"));
    assert!(matches!(Hall::open(world.config()), Err(Fault::Unsafe { .. })));
    fs::set_permissions(&judge, Permissions::from_mode(0o755)).expect("its mode is changed");
    assert!(Hall::open(world.config()).is_ok());
}

/// An agent that may call `hall` says what stands in its environment, and with it whom a name would mean.
#[test]
fn whoever_calls_cannot_bring_a_judge_of_their_own() {
    let world = World::ready();
    let (good, evil) = (world.desk().join("good"), world.desk().join("evil"));
    let answer = |decision: &str| {
        format!("#!/bin/sh\necho '{{\"decision\": \"'{decision}'\", \"policy_version\": \"v1\", \"reason\": \"mine\"}}'\n")
    };
    let judge = "#!/bin/sh\nexec opinion\n".to_owned();
    for (path, text) in [(good.join("judge"), &judge), (evil.join("opinion"), &answer("ALLOW"))] {
        put(&path, text.as_bytes());
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it can be run");
    }
    say(&world, &format!("command = [{:?}]", good.join("judge")));
    let _ = hall(&world.home(), &["worker", "enroll"]).ends(0);
    let path = format!("{}:{}", evil.display(), std::env::var("PATH").unwrap_or_default());
    let arguments = ["run", skills::REDACT, "--data-label", "RESTRICTED", "--input", "{\"text\": \"x\"}"];
    let run = finish(command(&world.home(), &arguments).env("PATH", path));
    assert_eq!(run.code, 3, "{run:?}");
    assert!(run.stderr.contains("DENY_INTERNAL_ERROR"), "{run:?}");
}

#[test]
fn a_program_is_asked_and_the_worst_of_several_counts() {
    let judge = "case $(cat) in *'\"tool\":\"redact\"'*) d=ALLOW;; *) d=DENY;; esac; echo \"{\\\"decision\\\": \\\"$d\\\", \\\"policy_version\\\": \\\"v7\\\", \\\"reason\\\": \\\"$(pwd)\\\"}\"";
    let command = format!("command = [\"/bin/sh\", \"-c\", '''{judge}''']");
    assert_eq!(code(&gated(&enrolled(&command, &[]))), None);
    let both = format!("cedar = [\"p.cedar\"]\n{command}");
    assert_eq!(code(&gated(&enrolled(&both, &[("p.cedar", PERMIT)]))), None);
    assert_eq!(code(&gated(&enrolled(&both, &[("p.cedar", FORBID)]))), Some(Code::PolicyGate));
    assert_eq!(code(&gated(&enrolled(&both, &[("p.cedar", "// nothing")]))), Some(Code::PolicyGate));
    let ask = PERMIT.replace("execute", "execute-with-approval");
    assert_eq!(code(&gated(&enrolled(&both, &[("p.cedar", ask.as_str())]))), Some(Code::RequiresHumanApproval));
    let slow = "cedar = [\"p.cedar\"]\ncommand = [\"/bin/sh\", \"-c\", \"sleep 60\"]\ngate_deadline_ms = 200";
    assert_eq!(code(&gated(&enrolled(slow, &[("p.cedar", PERMIT)]))), Some(Code::InternalError));
}

#[test]
fn policies_are_tested_against_cases() {
    let (policies, cases) =
        (repository("examples/policies/restricted-in-prod.cedar"), repository("examples/policies/cases.toml"));
    let (policies, cases) = (policies.to_str().expect("a path"), cases.to_str().expect("a path"));
    let nowhere = Path::new("/nowhere");
    let told = hall(nowhere, &["policy", "test", cases, "--cedar", policies, "--json"]).object();
    assert_eq!((&told["wrong"], told["cases"].as_array().map(Vec::len)), (&Value::from(0), Some(5)), "{told}");
    hall(nowhere, &["policy", "check", policies, "--json"]).object();

    let world = enrolled("cedar = [\"p.cedar\"]", &[("p.cedar", FORBID)]);
    let run = hall(&world.home(), &["policy", "test", cases]).ends(1);
    assert!(run.stdout.contains("DENY none, expected ALLOW default_allow"), "{}", run.stdout);
    let run = hall(&world.home(), &["policy", "check"]).ends(2);
    assert!(run.stdout.contains("permits nothing"), "{}", run.stdout);
    let broken = world.desk().join("cases.toml");
    put(&broken, b"[[case]]\nname = \"x\"\nverdict = \"PERHAPS\"\n");
    let _ = hall(&world.home(), &["policy", "test", broken.to_str().expect("a path")]).ends(2);
}

//! Recorded decisions, taken again: under the same policy each comes out as it was recorded, and under a changed one exactly those
//! change that the change is about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use skillhall::hall::{Changed, Config, Hall, Replay, Replayed};
use skillhall::sandbox::LocalPowers;
use skillhall_core::denial::{Code, Stage};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Call, Caller, DataLabel, Input, QosClass, TenantRisk};
use skillhall_core::govern::wcp::Word as _;
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
use skillhall_core::ledger::taken::Untaken;
use skillhall_core::ledger::{Decision, EventKind, Record};
use skillhall_core::registry::{Scope, State, Target};
use skillhall_core::trust::approve::Answer;
use skillhall_core::trust::keys::SigningKey;
use skillhall_tests::command::hall as command;
use skillhall_tests::files::{below, bytes, put, text};
use skillhall_tests::skills::{REDACT, redact_as, redact_toml};
use skillhall_tests::world::{World, call, good_call, install, records_from};

const RULES: &str = r#"{"rules": [
    {"rule_id": "public", "match": {"data_label": "PUBLIC", "tenant_risk": {"in": ["low", "medium"]}},
     "decision": {"candidate_workers_ranked": [{"worker_species_id": "wrk.*"}]}},
    {"rule_id": "gated", "match": {"data_label": "INTERNAL"},
     "decision": {"candidate_workers_ranked": [{"worker_species_id": "wrk.*"}], "escalation": {"policy_gate": true}}},
    {"rule_id": "person", "match": {"data_label": "RESTRICTED", "qos_class": "P0"},
     "decision": {"candidate_workers_ranked": [{"worker_species_id": "wrk.*"}], "escalation": {"human_required_default": true}}},
    {"rule_id": "controlled", "match": {"data_label": "RESTRICTED", "qos_class": "P1"},
     "decision": {"candidate_workers_ranked": [{"worker_species_id": "wrk.*"}], "required_controls_suggested": ["ctrl.z"]}}]}"#;

const CEDAR: &str = r#"@id("low") permit (principal, action == Action::"execute", resource) when { context.tenant_risk == TenantRisk::"low" };
@id("medium") permit (principal, action == Action::"execute-with-approval", resource) when { context.tenant_risk == TenantRisk::"medium" };
@id("eve") forbid (principal == Caller::"eve", action, resource) when { context.qos_class == QosClass::"P3" };
"#;

const ASKER: &str = "org.skillhall/asker@1.0.0";
const WANTS: &str = "org.skillhall/wants@1.0.0";
const NEWER: &str = "org.skillhall/redact@1.0.1";

/// The real skill under another name, asking for a variable of the environment.
fn asking(name: &str) -> String {
    redact_toml()
        .replace("name = \"redact\"", &format!("name = \"{name}\""))
        .replace("[limits]", "[capabilities]\nenv = [\"GREETING\"]\n\n[limits]")
}

/// A hall with rules, Cedar policies, a skill that is banned, one that is granted what it asks for, and one that is not.
fn world() -> World {
    let world = World::ready();
    put(&world.home().join("rules.json"), RULES.as_bytes());
    put(&world.home().join("policies/a.cedar"), CEDAR.as_bytes());
    let config = text(&world.home().join("hall.toml"));
    let config = config.replacen("rules = \"rules.json\"", "rules = \"rules.json\"\ncedar = [\"policies/*.cedar\"]", 1);
    let config = format!("{config}\n[grants.\"org.skillhall/asker\"]\nenv = [{{ name = \"GREETING\", value = \"hi\" }}]\n");
    put(&world.home().join("hall.toml"), config.as_bytes());
    let hall = open(&world);
    hall.enroll().expect("the host is enrolled");
    for toml in [redact_toml().replace("version = \"1.0.0\"", "version = \"1.0.1\""), asking("asker"), asking("wants")] {
        install(&hall, &redact_as(&toml).expect("the skill is built"));
    }
    let banned = Target::Version(NEWER.parse().expect("a version"));
    hall.stand(banned, State::Banned, Scope::Global, "a test").expect("it is banned");
    world
}

fn open(world: &World) -> Hall {
    Hall::open(config(world)).expect("the hall opens")
}

fn config(world: &World) -> Config {
    world.config().powers(Arc::new(LocalPowers::default()))
}

fn execute(hall: &Hall, caller: Option<Caller>, call: Call) -> Option<Code> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let receipt = runtime.block_on(hall.execute_for(caller, call)).expect("the host is well");
    receipt.denial().map(|denial| denial.code)
}

/// Calls in all words, by several callers, of all skills; and some that other gates refuse.
fn live(hall: &Hall) {
    let owner = hall.caller().expect("the owner is known").expect("the test owns the hall");
    let eve = Caller { name: "eve".to_owned(), ..owner.clone() };
    let through = Caller { adapter: "mcp".parse().expect("an adapter"), ..owner.clone() };
    let plans = [(REDACT, &owner), (REDACT, &eve), (REDACT, &through), (NEWER, &owner), (ASKER, &owner), (WANTS, &eve)];
    for (skill, caller) in plans {
        for label in DataLabel::ALL {
            for risk in TenantRisk::ALL {
                for class in QosClass::ALL {
                    let call = call(skill, "{\"text\": \"ada@example.org\"}");
                    let call = call.data_label(*label).tenant_risk(*risk).qos_class(*class);
                    execute(hall, Some(caller.clone()), call);
                }
            }
        }
    }
    let capability = good_call().capability("cap.text.redact".parse().expect("a capability"));
    assert_eq!(execute(hall, Some(owner.clone()), capability), None);
    assert_eq!(execute(hall, Some(owner.clone()), call(REDACT, "{}")), Some(Code::InputSchema));
    assert_eq!(execute(hall, Some(owner.clone()), call("org.skillhall/none@1.0.0", "{}")), Some(Code::SkillUnknown));
    assert_eq!(execute(hall, None, good_call()), Some(Code::Unauthenticated));
    assert!(hall.dry_run(call(WANTS, "{\"text\": \"x\"}"), Some(owner.clone()), &mut skillhall::hall::Silent).is_err());
    // One that a person approved, and two that named what does not count.
    let key = approver(hall);
    let person = || good_call().data_label(DataLabel::Restricted).qos_class(QosClass::P0);
    let pending = hall.approvals(true).expect("approvals");
    let asked = |approval: &&skillhall_core::registry::approval::Approval| {
        let bound = |name: &str| approval.asked.bound.get(name).cloned().unwrap_or_default();
        (bound("caller"), bound("adapter"), bound("tenant_risk"), bound("qos_class"), bound("skill"), bound("data_label"))
            == ("ada".into(), "embed".into(), "low".into(), "P0".into(), REDACT.into(), "RESTRICTED".into())
    };
    // Another input, so another question.
    assert_eq!(pending.iter().filter(asked).count(), 1);
    assert_eq!(execute(hall, Some(owner.clone()), person()), Some(Code::RequiresHuman));
    let pending = hall.approvals(true).expect("approvals");
    let id = pending.iter().rfind(asked).expect("it waits").id.clone();
    let named = || person().approval(Some(id.clone()));
    assert_eq!(execute(hall, Some(owner.clone()), named()), Some(Code::RequiresHumanApproval));
    hall.answer(&id, Answer::Approved, "seen", &key).expect("it is approved");
    assert_eq!(execute(hall, Some(owner.clone()), named()), None);
    assert_eq!(execute(hall, Some(owner.clone()), named()), Some(Code::ApprovalUsed));
    let unneeded = good_call().approval(Some("none".to_owned()));
    assert_eq!(execute(hall, Some(owner), unneeded), Some(Code::ApprovalUnknown));
}

fn approver(hall: &Hall) -> SigningKey {
    let mut sealed = String::new();
    let keep = |text: &str| {
        text.clone_into(&mut sealed);
        Ok(())
    };
    hall.new_approver("bob", b"correct horse battery", None, keep).expect("an approver is made");
    SigningKey::from_sealed_pem(&sealed, b"correct horse battery").expect("the key opens")
}

fn as_it_is(hall: &Hall) -> Replay {
    let texts = hall.texts_on_disk().expect("the texts are read");
    Replay { texts, bans: Vec::new(), skill: None, since: None, limit: None, ask_outside: false }
}

fn replayed(hall: &Hall, replay: &Replay) -> (Replayed, BTreeMap<u64, Changed>) {
    let mut changes = BTreeMap::new();
    let found =
        hall.replay(replay, &mut |changed| drop(changes.insert(changed.sequence, changed.clone()))).expect("it is replayed");
    assert_eq!(found.changed, changes.len() as u64);
    assert_eq!(found.replayed, found.same + found.changed);
    assert_eq!(found.decisions, found.replayed + found.not_replayed.values().sum::<u64>());
    assert_eq!(found.changed, found.now_allowed + found.now_denied + found.other_code);
    (found, changes)
}

fn said<'a>(record: &'a Record, name: &str) -> &'a str {
    record.event.data.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The records of decisions of which this holds.
fn decisions(hall: &Hall, which: impl Fn(&Record) -> bool) -> BTreeSet<u64> {
    let records = records_from(hall, 0);
    let decisions = records.iter().filter(|record| record.event.kind == EventKind::SkillExecute && which(record));
    decisions.map(|record| record.sequence).collect()
}

fn is_of(record: &Record, skill: &str) -> bool {
    let event = &record.event;
    matches!((&event.skill, &event.version), (Some(id), Some(version)) if format!("{id}@{version}") == skill)
}

fn allowed(record: &Record) -> bool {
    record.event.decision == Some(Decision::Allow)
}

/// Every file of the hall by the digest of its bytes.
fn state(home: &Path) -> BTreeMap<String, Digest> {
    below(home).into_iter().map(|path| (path.clone(), Digest::of(&bytes(&home.join(path))))).collect()
}

/// The records of changes, of which there are some.
fn keys(changes: &BTreeMap<u64, Changed>) -> BTreeSet<u64> {
    assert!(!changes.is_empty(), "something changes");
    changes.keys().copied().collect()
}

#[test]
fn the_same_policy_decides_the_same_and_a_changed_one_what_it_is_about() {
    let world = world();
    live(&open(&world));
    let hall = open(&world);
    hall.registry().expect("the registry is there");
    let before = state(&world.home());

    let (found, changes) = replayed(&hall, &as_it_is(&hall));
    assert_eq!(changes, BTreeMap::new(), "{found:?}");
    assert!(found.replayed > 200 && found.same_by_another_rule == 0, "{found:?}");
    assert_eq!(found.not_replayed, BTreeMap::from([(Untaken::OtherGate, 3)]), "{found:?}");
    assert_eq!(found.on_approval, 1);
    let codes: BTreeSet<Option<Code>> = records_from(&hall, 0).iter().map(|record| record.event.code).collect();
    for code in [
        Code::SkillBanned,
        Code::CapabilityNotGranted,
        Code::NoMatchingRule,
        Code::PolicyGate,
        Code::RequiresHuman,
        Code::RequiresHumanApproval,
        Code::MissingRequiredControls,
    ] {
        assert!(codes.contains(&Some(code)), "{code} was recorded");
    }

    // One rule: what it lets through at medium risk comes to no rule.
    let mut replay = as_it_is(&hall);
    replay.texts.rules = RULES.replacen("{\"in\": [\"low\", \"medium\"]}", "\"low\"", 1);
    let (_, changes) = replayed(&hall, &replay);
    let medium = |record: &Record| said(record, "data_label") == "PUBLIC" && said(record, "tenant_risk") == "medium";
    assert_eq!(keys(&changes), decisions(&hall, |record| allowed(record) && medium(record)));
    let one = changes.values().next().expect("some change");
    assert_eq!((one.before.matched_rule.as_deref(), one.after.matched_rule.as_deref()), (Some("public"), Some("NO_MATCH")));
    assert_eq!((one.before.code, one.after.code), (None, Some(Code::NoMatchingRule)));

    // One Cedar policy: eve is not forbidden anything any more.
    let mut replay = as_it_is(&hall);
    replay.texts.policies[0].text = CEDAR.lines().take(2).collect::<Vec<_>>().join("\n");
    let (found, changes) = replayed(&hall, &replay);
    let eves = |record: &Record| {
        record.event.caller.as_deref() == Some("eve")
            && is_of(record, REDACT)
            && said(record, "data_label") == "INTERNAL"
            && said(record, "qos_class") == "P3"
            && said(record, "tenant_risk") != "high"
    };
    assert_eq!(keys(&changes), decisions(&hall, eves));
    assert_eq!((found.now_allowed, found.other_code), (1, 1), "low risk is let through, medium waits for a person");

    // One ban, of a version and of bytes.
    for target in ["version", "hash"] {
        let mut replay = as_it_is(&hall);
        let version = hall.registry().expect("it answers").versions(&"org.skillhall/redact".parse().expect("an id"));
        let component = version.expect("versions")[0].adapters.values().next().copied().expect("an adapter");
        replay.bans = vec![match target {
            "version" => Target::Version(REDACT.parse().expect("a version")),
            _ => Target::Hash(component),
        }];
        let (found, changes) = replayed(&hall, &replay);
        // Refused by a gate after it, it is not judged again.
        let judged = |record: &Record| ![Some(Code::InputSchema), Some(Code::Unauthenticated)].contains(&record.event.code);
        assert_eq!(keys(&changes), decisions(&hall, |record| is_of(record, REDACT) && judged(record)), "{target}: {found:?}");
        let code = if target == "version" { Code::SkillBanned } else { Code::BannedHash };
        assert!(changes.values().all(|change| change.after.code == Some(code)), "{target}");
    }

    // One control.
    let mut replay = as_it_is(&hall);
    replay.texts.config =
        replay.texts.config.replacen("rules = \"rules.json\"", "rules = \"rules.json\"\ncontrols = [\"ctrl.z\"]", 1);
    let (found, changes) = replayed(&hall, &replay);
    assert_eq!(keys(&changes), decisions(&hall, |record| record.event.code == Some(Code::MissingRequiredControls)));
    assert_eq!(found.now_allowed, found.changed);

    // One grant taken away, one given.
    let mut replay = as_it_is(&hall);
    replay.texts.config = replay.texts.config.replace("org.skillhall/asker", "org.skillhall/wants");
    let (_, changes) = replayed(&hall, &replay);
    assert_eq!(keys(&changes), decisions(&hall, |record| is_of(record, ASKER) || is_of(record, WANTS)));
    assert!(changes.values().any(|change| change.dry_run), "a dry run is a decision, too");

    assert_eq!(state(&world.home()), before, "nothing is written");

    // The ban is lifted: what it refused would come to gates that nobody can judge now.
    let banned = Target::Version(NEWER.parse().expect("a version"));
    hall.stand(banned, State::Active, Scope::Global, "a test").expect("it is restored");
    let (_, changes) = replayed(&hall, &as_it_is(&hall));
    assert_eq!(keys(&changes), decisions(&hall, |record| is_of(record, NEWER)));
    assert!(changes.values().all(|change| change.unjudged == [Stage::Caller, Stage::Host, Stage::Input]));
    assert!(changes.values().any(|change| change.after.code.is_none()));
    assert!(changes.values().any(|change| change.after.code == Some(Code::PolicyGate)));
}

#[test]
fn what_a_record_does_not_say_is_not_guessed() {
    let world = world();
    let hall = open(&world);
    assert_eq!(execute(&hall, hall.caller().expect("known"), good_call()), None);
    let written = records_from(&hall, 0).into_iter().rfind(|record| record.event.kind == EventKind::SkillExecute).expect("it");
    let with = |change: &dyn Fn(&mut skillhall_core::ledger::Event)| {
        let mut event = written.event.clone();
        event.decision_id = Some("another".to_owned());
        event.decision = Some(Decision::Deny);
        event.code = Some(Code::NoMatchingRule);
        change(&mut event);
        hall.note(event).expect("it is written");
    };
    // As an older version wrote it.
    with(&|event| event.data.retain(|name, _| !["data_label", "tenant_risk", "qos_class", "basis"].contains(&name.as_str())));
    with(&|event| drop(event.data.insert("basis".into(), json!({ "provides": [] }))));
    with(&|event| drop(event.data.insert("altered".into(), json!(["caller"]))));
    with(&|event| event.code = Some(Code::WorkerTampered));
    with(&|event| event.code = Some(Code::HostTampered));
    with(&|event| event.hashes.extend([("manifest".to_owned(), Digest::of(b"other"))]));
    with(&|event| event.tool = None);
    let (found, changes) = replayed(&hall, &as_it_is(&hall));
    assert_eq!((found.decisions, found.same, changes.len()), (8, 1, 0), "{found:?}");
    let each = |untaken| found.not_replayed.get(&untaken).copied();
    for untaken in [
        Untaken::Older,
        Untaken::Unreadable,
        Untaken::Altered,
        Untaken::WorkerHash,
        Untaken::OtherGate,
        Untaken::OtherBytes,
        Untaken::Incomplete,
    ] {
        assert_eq!(each(untaken), Some(1), "{untaken:?}: {found:?}");
    }
    // An id that cannot stand in a record as it was said.
    let long = Call::new(REDACT.parse().expect("a skill"), Input::parse(b"{\"text\": \"x\"}").expect("JSON"));
    assert_eq!(execute(&hall, hall.caller().expect("known"), long.correlation_id("x".repeat(1025))), Some(Code::InvalidInput));
    let (found, _) = replayed(&hall, &as_it_is(&hall));
    assert_eq!(found.not_replayed[&Untaken::Altered], 2);
}

#[test]
fn gates_outside_are_asked_only_when_that_is_said() {
    let world = world();
    let asked = world.desk().join("asked");
    let judge = world.desk().join("judge");
    let script = format!(
        "#!/bin/sh\necho x >> '{}'\necho '{{\"decision\": \"ALLOW\", \"policy_version\": \"v1\", \"reason\": \"fine\"}}'\n",
        asked.display()
    );
    put(&judge, script.as_bytes());
    std::fs::set_permissions(&judge, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("its mode is set");
    let config = text(&world.home().join("hall.toml"));
    let gate = format!("rules = \"rules.json\"\ncommand = [\"{}\"]", judge.display());
    put(&world.home().join("hall.toml"), config.replacen("rules = \"rules.json\"", &gate, 1).as_bytes());
    let hall = open(&world);
    hall.enroll().expect("it is enrolled");
    let owner = hall.caller().expect("known");
    for label in [DataLabel::Public, DataLabel::Internal] {
        assert_eq!(execute(&hall, owner.clone(), good_call().data_label(label)), None);
    }
    assert_eq!(text(&asked), "x\n");
    let (found, _) = replayed(&hall, &as_it_is(&hall));
    assert_eq!((found.same, found.not_replayed.get(&Untaken::OutsideGate)), (1, Some(&1)), "{found:?}");
    assert_eq!(text(&asked), "x\n", "nobody was asked");
    let home = world.home();
    let _ = command(&home, &["policy", "replay", "--fail-on-change"]).ends(1);
    let (found, _) = replayed(&hall, &Replay { ask_outside: true, ..as_it_is(&hall) });
    assert_eq!((found.same, found.not_replayed.len()), (2, 0), "{found:?}");
    assert_eq!(text(&asked), "x\nx\n");
}

/// A gate of an embedding program.
struct Own(&'static str);

impl PolicyGate for Own {
    fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
        Ok(Verdict { decision: self.0.to_owned(), policy_version: "own.v1".to_owned(), reason: "own".to_owned() })
    }
}

#[test]
fn the_gate_of_another_program_is_not_made_up() {
    let world = world();
    let hall = Hall::open(config(&world).gate(Arc::new(Own("ALLOW")))).expect("it opens");
    let owner = hall.caller().expect("known");
    for label in [DataLabel::Public, DataLabel::Internal] {
        assert_eq!(execute(&hall, owner.clone(), good_call().data_label(label)), None);
    }
    let (found, changes) = replayed(&hall, &as_it_is(&hall));
    assert_eq!((found.same, changes.len()), (2, 0), "{found:?}");
    let (found, changes) = replayed(&open(&world), &as_it_is(&hall));
    assert_eq!((found.same, changes.len(), found.not_replayed.get(&Untaken::EmbeddedGate)), (1, 0, Some(&1)), "{found:?}");
    let other = Hall::open(config(&world).gate(Arc::new(Own("DENY")))).expect("it opens");
    let (_, changes) = replayed(&other, &as_it_is(&hall));
    assert_eq!(changes.values().next().expect("a change").after.code, Some(Code::PolicyGate));
}

#[test]
fn the_command_tells_who_is_concerned() {
    let world = world();
    let hall = open(&world);
    let owner = hall.caller().expect("known");
    for risk in TenantRisk::ALL {
        execute(&hall, owner.clone(), good_call().tenant_risk(*risk));
    }
    let home = world.home();
    let clean = command(&home, &["policy", "replay", "--fail-on-change"]).ends(0).stdout;
    assert!(clean.contains("3 recorded decisions, 3 taken again: 3 the same, 0 changed"), "{clean}");

    let rules = world.desk().join("rules.json");
    put(&rules, RULES.replacen("{\"in\": [\"low\", \"medium\"]}", "\"low\"", 1).as_bytes());
    let arguments = ["policy", "replay", "--rules", rules.to_str().expect("a path")];
    let shown = command(&home, &arguments).ends(0).stdout;
    for says in
        ["1 x ALLOW (rule public) -> DENY_NO_MATCHING_RULE (rule NO_MATCH)", "by ada of acme through embed", "1 now denied"]
    {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    let failed = command(&home, &[&arguments[..], &["--fail-on-change"]].concat()).ends(1);
    assert!(failed.stderr.contains("1 recorded call would be decided otherwise"), "{}", failed.stderr);
    let told = command(&home, &[&arguments[..], &["--json"]].concat()).ends(0).stdout;
    let lines: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["changed"]["after"]["code"], "DENY_NO_MATCHING_RULE");
    assert_eq!(lines[0]["changed"]["before"]["decision"], "ALLOW");
    assert_eq!((&lines[1]["summary"]["changed"], &lines[1]["summary"]["same"]), (&json!(1), &json!(2)));

    let summary = |arguments: &[&str]| {
        let run = command(&home, &[&["policy", "replay", "--json"], arguments].concat()).ends(0);
        let last: Value = serde_json::from_str(run.stdout.lines().last().expect("a line")).expect("JSON");
        last["summary"].clone()
    };
    assert_eq!(summary(&["--limit", "2"])["decisions"], 2);
    assert_eq!(summary(&["--since", "2999-01-01T00:00:00Z"])["decisions"], 0);
    assert_eq!(summary(&["--skill", "org.skillhall/asker"])["decisions"], 0);
    assert_eq!(summary(&["--ban", "org.skillhall/redact"])["now_denied"], 2);
    let forbids = world.desk().join("forbids.cedar");
    put(&forbids, b"permit (principal, action, resource");
    let broken = command(&home, &["policy", "replay", "--cedar", forbids.to_str().expect("a path")]).ends(2);
    assert!(broken.stderr.contains("line 1"), "{}", broken.stderr);
}

//! Every kind of record, made by whole flows and held against the schema; and records as they are listed and exported.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value, json};
use skillhall::hall::{Config, Hall, KeyPlan, OrgChange, RolePlan, Rotation, Silent, TokenPlan};
use skillhall::sandbox::LocalPowers;
use skillhall_core::capability::tools::{Grant, parse_versions};
use skillhall_core::capability::{Policy, keyvalue};
use skillhall_core::digest::Digest;
use skillhall_core::id::{Namespace, OrgId, SkillId};
use skillhall_core::ledger::EventKind;
use skillhall_core::ledger::describe::{Form, Shape, forms};
use skillhall_core::registry::access::Role;
use skillhall_core::registry::memory::MemoryRegistry;
use skillhall_core::registry::{
    Change, Commit, NamespaceRecord, Published, Registry, RegistryError, Scope, Snapshot, StandingEvent, StandingQuery, State,
    Statement, Target,
};
use skillhall_core::trust::approve::Answer;
use skillhall_core::trust::keys::{Algorithm, Purpose, SigningKey};
use skillhall_tests::callers::caller;
use skillhall_tests::command::{command, hall as hall_command};
use skillhall_tests::desk::{Desk, State as DeskState};
use skillhall_tests::files::{put, repository, text};
use skillhall_tests::skills::{self, redact_as, redact_toml};
use skillhall_tests::world::{TEXT, World, call, good_call, install, run, run_as};

/// Kinds that nothing records in this version, each with what will.
const UNRECORDED: &[(EventKind, &str)] = &[
    (EventKind::WorkerRegister, "a skill's hash is registered when it is published"),
    (EventKind::WorkerRevoke, "a host's enrolment is not revoked by a verb yet"),
];

/// Holds every record of a hall against the schema; other suites do so with what they made.
pub(crate) fn are_described(home: &Path) {
    are_as_described(parsed(&lines(home)).into_iter());
}

/// Holds records against the schema.
pub(crate) fn are_as_described(records: impl Iterator<Item = Value>) {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::read);
    let wrong: Vec<String> = records.filter(|record| !SCHEMA.takes(record)).map(|record| nearest(&record)).collect();
    assert!(wrong.is_empty(), "{} records are not what docs/events.md says:\n{}", wrong.len(), wrong.join("\n"));
}

struct Schema(jsonschema::Validator);

impl Schema {
    fn read() -> Self {
        let schema = hall_command(Path::new("/nowhere"), &["schema", "event", "--json"]).object();
        let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
        Self(options.build(&schema).expect("the schema is one"))
    }

    fn takes(&self, record: &Value) -> bool {
        self.0.is_valid(record)
    }
}

/// The records of a hall, as its segments hold them.
fn lines(home: &Path) -> Vec<String> {
    let mut segments: Vec<_> =
        std::fs::read_dir(home.join("ledger")).expect("the ledger").map(|entry| entry.expect("a file").path()).collect();
    segments.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    segments.sort();
    let all: Vec<String> = segments.iter().flat_map(|path| text(path).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    all.into_iter().filter(|line| !line.starts_with("{\"checkpoint\":")).collect()
}

fn parsed(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn id(text: &str) -> SkillId {
    text.parse().expect("a skill")
}

/// What is said of organisations, and of the people in them.
fn people(world: &World) {
    let hall = world.open();
    let acme: OrgId = "globex".parse().expect("a name");
    hall.create_organisation(&acme).expect("it is registered");
    let plan = RolePlan { organisation: acme.clone(), holder: "eve".into(), role: Role::Worker, namespace: None };
    hall.grant_role(&plan).expect("it is granted");
    let of = "org.skillhall".parse::<Namespace>().expect("a namespace");
    hall.grant_role(&RolePlan { role: Role::Author, namespace: Some(of.clone()), ..plan.clone() }).expect("it is granted");
    hall.allow_caller(&of, &acme, true).expect("it may call");
    let issued = hall.issue_token(&TokenPlan::worker(acme.clone(), "eve", [of.clone()])).expect("it is issued");
    let eve = hall.caller_by_token(&issued.text).expect("it is known");
    drop(run_as(&hall, good_call(), Some(eve)).expect("it runs"));
    hall.revoke_token(&issued.token.id, "lost").expect("it is revoked");
    hall.remove_role(&plan).expect("it is removed");
    hall.set_tier(&of, 1).expect("it is raised");
    hall.set_tier(&of, 0).expect("it is lowered");
    for change in [OrgChange::Suspend, OrgChange::Reinstate, OrgChange::Offboard] {
        hall.change_organisation(&acme, change, "a test").expect("it is changed");
    }
}

/// What happens to a skill from its publication to its end, and to what surrounds it.
fn life(world: &World) {
    let open = || Hall::open(world.config().powers(Arc::new(LocalPowers::default()))).expect("the hall opens");
    let hall = open();
    let package = install(&hall, &skills::redact());
    install(&hall, &skills::count());
    install(&hall, &caller("one", &[("org.skillhall/redact", "^1")], ""));
    install(
        &hall,
        &skills::assemble(&skills::source_of("fall", ""), skills::component(skills::TRAP), None).expect("it is built"),
    );
    hall.verify(&package, &mut Silent).expect("it verifies");
    let owner = hall.caller().expect("the owner is known");
    drop(hall.dry_run(good_call(), owner.clone(), &mut Silent).expect("it would run"));
    drop(hall.dry_run(call(skills::REDACT, "{}"), owner, &mut Silent).expect_err("it would not"));
    drop(run(&hall, good_call().requested(Some("redact".into()))).expect("it runs"));
    drop(run(&hall, call("org.skillhall/fall@1.0.0", "{}")).expect("it is let in"));
    drop(run(&hall, call(skills::REDACT, "{}")).expect_err("the input is wrong"));
    drop(run(&hall, good_call().approval(Some("none".into()))).expect_err("there is no such approval"));
    drop(run_as(&hall, good_call(), None).expect_err("nobody calls"));
    drop(run(&hall, call("org.skillhall/none@1.0.0", "{}")).expect_err("nobody knows it"));
    // A version with a power more, which is accepted.
    let more =
        redact_as(&(redact_toml().replace("1.0.0", "1.1.0") + "\n[capabilities]\nenv = [\"LANG\"]\n")).expect("it is built");
    let more = Arc::new(hall.attest(&more, "test").expect("it is attested").0);
    hall.certify(&more, 30).expect("it is certified");
    hall.publish(&more).expect("it is published");
    drop(hall.install(&more, &mut Silent).expect_err("it asks for more"));
    let difference = hall.compare_powers(&more).expect("they are compared").difference.expect("there is one");
    let accepted = difference.digest().expect("it has one");
    hall.install_accepting(&more, Some(accepted), &mut Silent).expect("it is installed");
    hall.uninstall(&"org.skillhall/redact@1.1.0".parse().expect("a version")).expect("it is uninstalled");
    stand(&hall);
    keys(&hall);
    grants(&hall);
    let hall = open();
    let asked = json!({ "skill": "org.skillhall/redact", "tool": "redact", "input": json!({ "text": TEXT }).to_string() });
    let nesting = || call("org.skillhall/one@1.0.0", &asked.to_string()).tool("call".parse().expect("a tool"));
    assert_eq!(run(&hall, nesting()).expect("it runs").calls()[0].outcome, "done");
    let missing = json!({ "skill": "org.skillhall/redact", "tool": "none such", "input": "{}" });
    let missing = call("org.skillhall/one@1.0.0", &missing.to_string()).tool("call".parse().expect("a tool"));
    drop(run(&hall, missing).expect("it runs, and is told no"));
    let counting = call("org.skillhall/count@1.0.0", "{\"key\": \"ada\"}").tool("count".parse().expect("a tool"));
    drop(run(&hall, counting).expect("it counts"));
    hall.clear(&id("org.skillhall/count"), None, None).expect("it is cleared");
}

fn stand(hall: &Hall) {
    let skill = id("org.skillhall/fall");
    let adapter = Target::Adapter { skill: skill.clone(), adapter: "mcp".parse().expect("an adapter") };
    let own = Scope::Organisation(hall.config().hall.organisation.clone());
    for (target, state, scope) in [
        (Target::Skill(skill.clone()), State::Revoked, Scope::Global),
        (Target::Skill(skill.clone()), State::Active, Scope::Global),
        (Target::Version("org.skillhall/fall@1.0.0".parse().expect("a version")), State::Banned, own),
        (Target::Hash(Digest::of(b"bad")), State::Banned, Scope::Global),
        (Target::Namespace("x.bad".parse().expect("a namespace")), State::Banned, Scope::Global),
        (Target::Certification("none".into()), State::Revoked, Scope::Global),
        (adapter, State::Degraded, Scope::Global),
    ] {
        hall.stand(target, state, scope, "a test").expect("it is said");
    }
}

fn keys(hall: &Hall) {
    let namespace = "org.skillhall".parse().expect("a namespace");
    let plan = KeyPlan { namespace: Some(namespace), algorithm: Algorithm::Ed25519, purpose: Purpose::Attest, days: Some(30) };
    let key = hall.new_key(&plan).expect("a key is made");
    hall.revoke_key(&key.id, "a test").expect("it is revoked");
    let rotation = Rotation { namespace: "org.skillhall".parse().expect("a namespace"), algorithm: None, overlap_ms: 3_600_000 };
    hall.rotate_keys(&rotation).expect("they are rotated");
    hall.attest_all(&rotation.namespace, "test", &mut |_| ()).expect("they are attested anew");
}

fn grants(hall: &Hall) {
    let redact = Grant::new(id("org.skillhall/redact"), parse_versions("*").expect("a range"));
    let tools = |before: &Policy| {
        let mut after = before.clone();
        after.tools.push(redact);
        after
    };
    hall.grant(&id("org.skillhall/one"), tools).expect("it is granted");
    let store: keyvalue::Grant =
        serde_json::from_value(json!({ "store": "visits", "bytes": 1000, "entries": 10 })).expect("a store");
    let stores = |before: &Policy| {
        let mut after = before.clone();
        after.keyvalue.push(store);
        after
    };
    hall.grant(&id("org.skillhall/count"), stores).expect("it is granted");
    hall.adopt(&"x.ada".parse().expect("a namespace")).expect("it is adopted");
}

/// Calls that wait for a person: one is approved and used, one rejected, one forgotten.
fn review(world: &World) {
    const ASKS: &str = r#"{"rules": [{"rule_id": "asks", "match": {"capability_id": {"any": true}}, "decision": {
        "candidate_workers_ranked": [{"worker_species_id": "wrk.*", "score_hint": 1.0}], "required_controls_suggested": [],
        "escalation": {"policy_gate": false, "human_required_default": true}, "preconditions": {}}}]}"#;
    put(&world.home().join("rules.json"), ASKS.as_bytes());
    let hall = world.open();
    hall.enroll().expect("the host is enrolled");
    let mut sealed = String::new();
    let keep = |text: &str| {
        text.clone_into(&mut sealed);
        Ok(())
    };
    hall.new_approver("bob", b"correct horse battery", None, keep).expect("an approver is made");
    let key = SigningKey::from_sealed_pem(&sealed, b"correct horse battery").expect("the key opens");
    let ask = |text: &str| {
        let receipt = run(&hall, call(skills::REDACT, &json!({ "text": text }).to_string()));
        let Err(skillhall::hall::Refused::Denied { denial, .. }) = receipt else { panic!("it waits: {receipt:?}") };
        denial.details["approval"].as_str().expect("a person is asked").to_owned()
    };
    let (yes, no, _) = (ask(TEXT), ask("another"), ask("a third"));
    hall.answer(&yes, Answer::Approved, "seen", &key).expect("it is approved");
    hall.answer(&no, Answer::Rejected, "no", &key).expect("it is rejected");
    drop(run(&hall, good_call().approval(Some(yes))).expect("it runs"));
    world.clock.ahead(2);
    hall.approvals(true).expect("they are listed");
    world.clock.ahead(0);
}

/// What the command alone records.
fn command_line(desk: &Desk) {
    desk.must("hall init made");
    desk.must("hall build redact --no-command --no-attest");
    desk.must("sed -i 's/^build = .*//; s/\\[skill\\]/[skill]\\nbuild = \"false\"/' fall/skill.toml; ! hall build fall");
    put(&desk.path().join("secret"), &[b's'; 32]);
    desk.must("hall worker attest worker --id org.skillhall.worker --species wrk.org.skillhall.worker --worker-version 1.0.0 --key-file secret");
}

/// A registry that says yes and then refuses.
struct SaysYes(MemoryRegistry);

impl Registry for SaysYes {
    fn snapshot(&self, query: &StandingQuery) -> Result<Snapshot, RegistryError> {
        self.0.snapshot(query)
    }
    fn version(&self) -> Result<u64, RegistryError> {
        self.0.version()
    }
    fn check(&self, _: &Change) -> Result<(), RegistryError> {
        Ok(())
    }
    fn apply(&self, change: &Change, commit: Commit) -> Result<(), RegistryError> {
        self.0.apply(change, commit)
    }
    fn commits(&self, after: u64) -> Result<Vec<Commit>, RegistryError> {
        self.0.commits(after)
    }
    fn versions(&self, skill: &SkillId) -> Result<Vec<Published>, RegistryError> {
        self.0.versions(skill)
    }
    fn skills(&self) -> Result<Vec<SkillId>, RegistryError> {
        self.0.skills()
    }
    fn statements(&self, manifest: &Digest) -> Result<Vec<Statement>, RegistryError> {
        self.0.statements(manifest)
    }
    fn standing_events(&self, target: &Target) -> Result<Vec<StandingEvent>, RegistryError> {
        self.0.standing_events(target)
    }
    fn namespace(&self, namespace: &Namespace) -> Result<Option<NamespaceRecord>, RegistryError> {
        self.0.namespace(namespace)
    }
}

/// A change that the registry refuses after it was recorded, and an append that was torn.
fn trouble(world: &World) {
    let config = Config::at(world.home()).clock(world.clock.clone()).compile_in_process();
    let hall = Hall::open(config.registry(Arc::new(SaysYes(MemoryRegistry::new())))).expect("the hall opens");
    install(&hall, &skills::redact());
    let other = redact_as(&redact_toml().replace("summary = \"", "summary = \"Not ")).expect("it is built");
    let other = Arc::new(hall.attest(&other, "test").expect("it is attested").0);
    drop(hall.publish(&other).expect_err("the version is published"));
    drop(hall);
    let segment = world.home().join("ledger/000000000000.jsonl");
    let mut file = OpenOptions::new().append(true).open(segment).expect("the segment opens");
    file.write_all(b"{\"caller\":\"ada\",\"event\":").expect("it is written");
    drop(file);
    drop(run(&world.open(), call("org.skillhall/none@1.0.0", "{}")).expect_err("nobody knows it"));
}

/// Records of all flows.
fn recorded() -> Vec<Value> {
    let (one, two, three, desk) = (World::bare(), World::ready(), World::bare(), Desk::at(DeskState::Bare));
    life(&one);
    people(&two);
    review(&two);
    trouble(&three);
    command_line(&desk);
    [one.home(), two.home(), three.home(), desk.home()].iter().flat_map(|home| parsed(&lines(home))).collect()
}

#[test]
fn every_kind_of_record_is_what_the_schema_says_and_nothing_else_is() {
    let (schema, records) = (Schema::read(), recorded());
    let wrong: Vec<String> = records.iter().filter(|record| !schema.takes(record)).map(nearest).collect();
    assert!(wrong.is_empty(), "{} of {} records:\n{}", wrong.len(), records.len(), wrong.join("\n"));
    let seen: BTreeSet<&str> = records.iter().filter_map(|record| record["event"].as_str()).collect();
    for kind in EventKind::ALL {
        let listed = UNRECORDED.iter().any(|(unrecorded, reason)| unrecorded == kind && reason.len() > 20);
        assert!(seen.contains(kind.as_str()) != listed, "{kind}: recorded and listed as unrecorded, or neither");
    }
    // Each form of each kind was seen, and each member of each form.
    let mut bare = Vec::new();
    for kind in EventKind::ALL.iter().filter(|kind| seen.contains(kind.as_str())) {
        for form in forms(*kind) {
            let of_form: Vec<&Value> =
                records.iter().filter(|record| record["event"] == kind.as_str() && has_all(record, form)).collect();
            if of_form.is_empty() {
                bare.push(format!("{kind} {}", form.when));
            }
        }
    }
    assert!(bare.is_empty(), "forms that nothing has: {bare:?}");
    mutated(&schema, &records);
}

fn has_all(record: &Value, form: &Form) -> bool {
    form.data.iter().filter(|member| member.always).all(|member| record["data"].get(member.name).is_some())
        && form.decision.is_none_or(|decision| record["decision"] == decision)
}

/// Why a record is none, by the form that it comes nearest to.
fn nearest(record: &Value) -> String {
    let members =
        |value: &Value| value.as_object().map(|members| members.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    format!(
        "{} {:?} data {:?} hashes {:?}: {record}",
        record["event"],
        members(record),
        members(&record["data"]),
        members(&record["hashes"])
    )
}

/// One change of a record of each kind and shape after the other, and none of them is a record.
fn mutated(schema: &Schema, records: &[Value]) {
    let mut done = BTreeSet::new();
    let mut count = 0;
    for record in records {
        let members: Vec<&String> = record.as_object().expect("an object").keys().collect();
        let data: Vec<&String> = record["data"].as_object().map(|data| data.keys().collect()).unwrap_or_default();
        if !done.insert(format!("{} {members:?} {data:?}", record["event"])) {
            continue;
        }
        let mut refused = |change: &dyn Fn(&mut Map<String, Value>), what: &str| {
            let mut changed = record.clone();
            change(changed.as_object_mut().expect("an object"));
            assert!(!schema.takes(&changed), "{what} is taken: {changed}");
            count += 1;
        };
        refused(&|record| drop(record.insert("zzz".into(), 1.into())), "an unknown member");
        refused(&|record| drop(record.insert("event".into(), "skill.unknown".into())), "an unknown kind");
        for place in ["data", "hashes"] {
            refused(
                &|record| {
                    let members = record.entry(place).or_insert_with(|| json!({})).as_object_mut().expect("an object");
                    members.insert("zzz".into(), "0".repeat(64).into());
                },
                &format!("an unknown member of {place}"),
            );
        }
        for name in ["sequence", "time", "event"] {
            refused(&|record| drop(record.remove(name)), &format!("no {name}"));
        }
        for name in members.iter().filter(|name| name.as_str() != "event") {
            refused(&|record| drop(record.insert((*name).clone(), json!([[["x"]]]))), &format!("another type of {name}"));
        }
        for name in data {
            refused(
                &|record| drop(record["data"].as_object_mut().expect("an object").insert(name.clone(), json!([[["x"]]]))),
                &format!("another type of data.{name}"),
            );
        }
        // What is always there cannot be left out.
        let kind = EventKind::ALL.iter().find(|kind| record["event"] == kind.as_str()).expect("a kind");
        if let [form] = forms(*kind) {
            for name in form.must.iter().flat_map(|group| group.iter()) {
                refused(&|record| drop(record.remove(*name)), &format!("no {name}"));
            }
            for member in form.data.iter().filter(|member| member.always && !matches!(member.shape, Shape::Null)) {
                refused(
                    &|record| drop(record["data"].as_object_mut().expect("an object").remove(member.name)),
                    &format!("no data.{}", member.name),
                );
            }
        }
    }
    assert!(count > 500, "only {count} changes");
    println!("{} records, {} shapes, {count} changes", records.len(), done.len());
}

#[test]
fn who_ran_a_digest_is_answered_whatever_it_is_of() {
    let world = World::ready();
    let hall = world.open();
    let receipt = run(&hall, good_call()).expect("it runs");
    install(&hall, &skills::csv_stats());
    let list = |arguments: &[&str]| {
        let told = hall_command(&world.home(), &[&["audit", "list", "--json"], arguments].concat()).object();
        told["records"].as_array().expect("records").clone()
    };
    let execute = &list(&["--event", "skill.execute"])[0];
    let published = &list(&["--event", "skill.publish", "--skill", "org.skillhall/redact"])[0];
    let complete = &list(&["--event", "skill.complete"])[0];
    let adapter = published["data"]["adapters"].as_object().expect("adapters").values().next().expect("one").clone();
    for (what, digest, end) in [
        ("manifest", &execute["hashes"]["manifest"], true),
        ("component", &execute["hashes"]["component"], true),
        ("package", &published["data"]["package_hash"], true),
        ("adapter", &adapter, true),
        ("input", &execute["hashes"]["input"], false),
        ("output", &complete["hashes"]["output"], true),
    ] {
        let digest = digest.as_str().expect("a digest");
        let (execute_is_meant, event) = if what == "output" { (false, "skill.complete") } else { (true, "skill.execute") };
        let found = list(&["--digest", digest, "--event", event]);
        assert_eq!(found.len(), 1, "{what}: {found:?}");
        assert_eq!((&found[0]["caller"], &found[0]["decision_id"]), (&json!("ada"), &json!(receipt.decision_id())), "{what}");
        assert!(execute_is_meant || end);
    }
    assert!(list(&["--digest", &"0".repeat(64)]).is_empty());
    for (arguments, count) in [
        (&["--event", "skill.execute", "--org", "acme"][..], 1),
        (&["--event", "skill.execute", "--org", "rival"], 0),
        (&["--event", "skill.execute", "--caller", "ada"], 1),
        (&["--event", "skill.execute", "--caller", "eve"], 0),
        (&["--event", "skill.execute", "--skill", "org.skillhall/redact@1.0.0"], 1),
        (&["--event", "skill.execute", "--skill", "org.skillhall/redact@1.0.1"], 0),
        (&["--event", "skill.execute", "--since", "2020-01-01T00:00:00Z", "--until", "2100-01-01T00:00:00Z"], 1),
        (&["--event", "skill.execute", "--until", "2020-01-01T00:00:00Z"], 0),
        (&["--limit", "3"], 3),
        (&["--limit", "0"], 0),
    ] {
        assert_eq!(list(arguments).len(), count, "{arguments:?}");
    }
    let all = list(&["--limit", "100000"]);
    assert_eq!(&all[all.len() - 3..], list(&["--limit", "3"]), "the last ones");
    hall_command(&world.home(), &["audit", "list", "--digest", "abc", "--json"]).error(2);
    let told = hall_command(&world.home(), &["audit", "list", "--limit", "2"]).ends(0).stdout;
    assert_eq!(told.lines().count(), 2, "{told}");
}

#[test]
fn an_export_is_the_ledgers_own_lines_and_whole_or_not_at_all() {
    let world = World::ready();
    let hall = world.open();
    drop(run(&hall, good_call()).expect("it runs"));
    let export = |arguments: &[&str]| hall_command(&world.home(), &[&["audit", "export"], arguments].concat());
    let all = export(&["--quiet"]).ends(0).stdout;
    let own = lines(&world.home());
    assert_eq!(all.lines().collect::<Vec<_>>(), own);
    let (schema, records) = (Schema::read(), parsed(&own));
    assert!(records.iter().all(|record| schema.takes(record)));
    let ran = export(&["--event", "skill.execute", "--org", "acme", "--json"]).ends(0).stdout;
    assert_eq!(ran.lines().count(), 1, "{ran}");
    assert_eq!(export(&["--since", "2100-01-01T00:00:00Z"]).ends(0).stdout, "");
    // Against a checkpoint that was kept, a cut shows before a line is written.
    let note = world.desk().join("head.note").display().to_string();
    hall_command(&world.home(), &["audit", "verify", "--save-checkpoint", &note, "--json"]).object();
    let segment = world.home().join("ledger/000000000000.jsonl");
    let whole = text(&segment);
    let cut: Vec<&str> = whole.lines().collect();
    put(&segment, (cut[..cut.len() - 2].join("\n") + "\n").as_bytes());
    assert!(!export(&["--quiet"]).ends(0).stdout.is_empty(), "without the checkpoint nobody could know");
    export(&["--checkpoint", &note, "--json"]).error(1);
    put(&segment, whole.replacen("\"event\":\"skill.install\"", "\"event\":\"skill.publish\"", 1).as_bytes());
    for format in ["jsonl", "wcp"] {
        let error = export(&["--format", format, "--json"]).error(1);
        assert!(error["message"].as_str().is_some_and(|message| message.contains("nothing is exported")), "{error}");
    }
    put(&segment, whole.as_bytes());
    // Whoever takes the lines has no room.
    let full = OpenOptions::new().write(true).open("/dev/full").expect("it opens");
    let mut exporting = command(&world.home(), &["audit", "export", "--json"]);
    let output = exporting.stdout(full).output().expect("the command starts");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("not whole"), "{output:?}");
}

/// The members that the reference's own envelopes have, by event: those of all, and those of any.
fn reference() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let vectors: Value = serde_json::from_str(&text(&repository("fixtures/vectors/wcp/decisions.json"))).expect("JSON");
    let mut found: BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> = BTreeMap::new();
    for case in vectors["cases"].as_array().expect("cases") {
        for envelope in case["expected"]["telemetry_envelopes"].as_array().into_iter().flatten() {
            let names: BTreeSet<String> = envelope.as_object().expect("an object").keys().cloned().collect();
            let id = envelope["event_id"].as_str().expect("an id").to_owned();
            let (all, any) = found.entry(id).or_insert_with(|| (names.clone(), BTreeSet::new()));
            all.retain(|name| names.contains(name));
            any.extend(names);
        }
    }
    found
}

#[test]
fn what_is_exported_for_wcp_has_the_form_of_the_references_envelopes() {
    let world = World::ready();
    let hall = world.open();
    let (receipt, owner) = (run(&hall, good_call()).expect("it runs"), hall.caller().expect("the owner is known"));
    drop(run(&hall, call(skills::REDACT, "{}")).expect_err("the input is wrong"));
    drop(run(&hall, good_call().correlation_id("")).expect_err("it has no correlation id"));
    drop(hall.dry_run(call(skills::REDACT, "{}"), owner, &mut Silent).expect_err("it would not run"));
    let told = hall_command(&world.home(), &["audit", "export", "--format", "wcp", "--quiet"]).ends(0).stdout;
    let envelopes: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let reference = reference();
    assert!(reference.len() >= 4, "{:?}", reference.keys());
    for envelope in &envelopes {
        let id = envelope["event_id"].as_str().expect("an id");
        let (all, any) = reference.get(id).unwrap_or_else(|| panic!("the reference has no {id}"));
        let mut names: BTreeSet<String> = envelope.as_object().expect("an object").keys().cloned().collect();
        names.remove("dry_run");
        assert!(names.is_superset(all) && names.is_subset(any), "{id}: {names:?}, the reference has {all:?} to {any:?}");
        for (name, value) in envelope.as_object().expect("an object") {
            let fits = if name == "blast_score" { value.is_u64() } else { value.is_string() || name == "dry_run" };
            assert!(fits, "{name}: {value}");
        }
    }
    let ids: Vec<&str> = envelopes.iter().filter_map(|envelope| envelope["event_id"].as_str()).collect();
    for id in ["evt.os.task.routed", "evt.os.worker.selected", "evt.os.policy.gated"] {
        assert_eq!(ids.iter().filter(|found| **found == id).count(), 1, "{ids:?}");
    }
    let denied: Vec<&Value> = envelopes.iter().filter(|envelope| envelope["event_id"] == "evt.os.task.denied").collect();
    let codes: Vec<&str> = denied.iter().filter_map(|envelope| envelope["deny_code"].as_str()).collect();
    assert_eq!(codes, ["DENY_INPUT_SCHEMA", "DENY_MISSING_CORRELATION_ID", "DENY_INPUT_SCHEMA"]);
    assert_eq!(denied[0]["capability_id"], "cap.skill.org.skillhall.redact");
    assert_eq!((&denied[0]["matched_rule_id"], denied[0].get("dry_run")), (&json!("PRE_ROUTING"), None));
    assert!(denied[0]["deny_message"].as_str().is_some_and(|message| !message.is_empty()));
    assert_eq!(denied[2]["dry_run"], true);
    assert_eq!(envelopes[0]["correlation_id"], receipt.correlation_id());
    assert_eq!(envelopes[0]["tenant_id"], "acme");
}

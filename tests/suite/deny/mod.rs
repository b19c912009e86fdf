//! Every deny code is seen refusing: `fixtures/deny/<CODE>/case*.toml`, each played on a hall of its own.

mod case;
mod stage;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::Value;
use skillhall::hall::{Hall, Refused, RolePlan, Silent};
use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Caller, Input};
use skillhall_core::govern::wcp::{Stamp, scenario};
use skillhall_core::json;
use skillhall_core::ledger::{Decision, EventKind, Record};
use skillhall_core::package::Package;
use skillhall_tests::command::hall as hall_command;
use skillhall_tests::files;
use skillhall_tests::skills::{HTTP, component, redact_as, redact_component, redact_toml, source_of, write_source};
use skillhall_tests::world::{good_call, records_from, run, run_as, size};

use case::{Attempt, Case, Component, Edited};
use stage::{Stage, edited};

/// What an attempt came to: refused, as the caller was told and as the ledger says it is.
struct Refusal {
    code: String,
    stage: String,
    message: String,
    /// The sequence that the caller was told.
    record: Option<u64>,
}

impl Refusal {
    fn of(denial: &Denial, record: Option<u64>) -> Self {
        let (code, stage) = (denial.code.as_str().to_owned(), denial.stage().as_str().to_owned());
        Self { code, stage, message: denial.message.clone(), record }
    }
}

#[test]
fn every_case_is_refused_as_it_says() {
    let cases = case::all();
    assert!(cases.len() >= 60, "only {} cases are found in {}", cases.len(), case::folder().display());
    let wanted = std::env::var("DENY_CASE").unwrap_or_default();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut faults = Vec::new();
        while let Some((code, path, case)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            let name = path.strip_prefix(case::folder()).unwrap_or(path).display().to_string();
            if name.contains(&wanted)
                && let Err(panic) = std::panic::catch_unwind(|| play(code, path, case))
            {
                let text = panic.downcast_ref::<String>().cloned();
                let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                faults.push(format!("{name} ({}):\n{}", case.description, text.unwrap_or_default()));
            }
        }
        faults
    };
    let faults: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a worker ends")).collect()
    });
    assert!(faults.is_empty(), "{} of {} cases:\n\n{}", faults.len(), cases.len(), faults.join("\n\n"));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {
    later: BTreeMap<String, String>,
}

#[test]
fn every_code_has_a_case() {
    let text = files::text(&case::folder().join("LATER.toml"));
    let later: Later = toml::from_str(&text).expect("LATER.toml is a table of codes with reasons");
    let with_case: Vec<String> = case::all().into_iter().map(|(code, ..)| code).collect();
    for code in Code::ALL {
        let (has, is_later) = (with_case.iter().any(|with| with == code.as_str()), later.later.contains_key(code.as_str()));
        assert!(has || is_later, "{code} has no case in fixtures/deny and no reason in LATER.toml");
        assert!(!(has && is_later), "{code} has a case and is still in LATER.toml");
    }
    for code in with_case.iter().chain(later.later.keys()) {
        assert!(Code::ALL.iter().any(|known| known.as_str() == code), "there is no code {code}");
    }
    assert!(later.later.values().all(|reason| reason.len() > 20), "a code that comes later has a reason");
}

fn play(code: &str, path: &Path, case: &Case) {
    if let Attempt::Decide { scenario } = &case.attempt {
        assert!(case.steps.is_empty(), "a decision has no hall to do anything to");
        let denial = decided(&path.with_file_name(scenario));
        return expect(code, case, &Refusal::of(&denial, None));
    }
    let mut stage = Stage::new(&case.hall);
    for step in &case.steps {
        stage.play(step);
    }
    let before = sequence(&mut stage);
    let refusal = attempt(&mut stage, &case.attempt);
    expect(code, case, &refusal);
    if let Some(before) = before {
        recorded(stage.hall(), before, case, &refusal);
    } else {
        assert_eq!(refusal.record, None, "a ledger that cannot be used has recorded something");
    }
    stage.undo();
    if before.is_none() {
        let all = records_from(stage.hall(), 0);
        assert!(all.iter().all(|record| record.event.decision.is_none()), "a decision was recorded: {all:?}");
    }
    match &case.for_good {
        Some(reason) => assert!(reason.len() > 10, "for-good says why"),
        None => {
            let receipt =
                run(stage.hall(), good_call()).unwrap_or_else(|refused| panic!("after undoing, still refused: {refused:?}"));
            assert!(receipt.output().is_some(), "{:?}", receipt.failure());
        }
    }
    stage.hall().audit(None).expect("the ledger is as it was written");
}

/// How many records there are; none if the ledger cannot be used, or there is no time that a record could have.
fn sequence(stage: &mut Stage) -> Option<u64> {
    let hall = stage.hall();
    (hall.ledger().is_ok() && hall.now().is_ok()).then(|| size(hall))
}

fn expect(code: &str, case: &Case, refusal: &Refusal) {
    assert_eq!(refusal.code, code, "{}", refusal.message);
    assert_eq!(refusal.stage, case.expect.stage.as_str(), "{}", refusal.message);
    assert!(refusal.message.contains(&case.expect.says), "it says: {}", refusal.message);
}

/// The refusal is in the ledger, once, and nothing ran.
fn recorded(hall: &Hall, before: u64, case: &Case, refusal: &Refusal) {
    // That a person is asked is a record of its own.
    let asked = |record: &Record| matches!(record.event.kind, EventKind::ApprovalPending | EventKind::ApprovalExpired);
    let records: Vec<Record> = records_from(hall, before).into_iter().filter(|record| !asked(record)).collect();
    crate::events::are_as_described(records.iter().map(|record| record.to_value().expect("a record is JSON")));
    let kinds: Vec<EventKind> = records.iter().map(|record| record.event.kind).collect();
    assert!(!kinds.contains(&EventKind::SkillComplete), "something ran: {kinds:?}");
    let denials: Vec<&Record> = records.iter().filter(|record| record.event.kind == EventKind::SkillDeny).collect();
    let [denial] = denials.as_slice() else { panic!("one denial is recorded, not {}: {kinds:?}", denials.len()) };
    assert_eq!(denial.event.code.map(Code::as_str), Some(refusal.code.as_str()));
    assert_eq!(denial.event.data.get("stage").and_then(Value::as_str), Some(refusal.stage.as_str()));
    let Attempt::Call { dry_run, .. } = &case.attempt else {
        assert_eq!(refusal.record, Some(denial.sequence));
        return;
    };
    let [decision, _] = records.as_slice() else { panic!("a decision and its denial are recorded: {kinds:?}") };
    assert_eq!(refusal.record, Some(decision.sequence));
    assert_eq!((decision.event.kind, decision.event.decision), (EventKind::SkillExecute, Some(Decision::Deny)));
    for record in &records {
        assert_eq!(record.event.data.get("dry_run"), dry_run.then_some(&Value::Bool(true)));
    }
}

fn attempt(stage: &mut Stage, attempt: &Attempt) -> Refusal {
    match attempt {
        Attempt::Call { .. } => {
            let asked = stage.asked.clone();
            called(stage.hall(), attempt, asked)
        }
        Attempt::Answer { holder, answer } => {
            let (id, key) = (stage.asked.clone().expect("a call waits"), stage.approver(holder));
            refused(stage.hall().answer(&id, *answer, "a test", &key))
        }
        Attempt::Certify { skill, adapter } => {
            refused(stage.hall().certify(&Arc::new(with(package(skill), adapter.as_ref())), 30))
        }
        Attempt::Attest { skill } => refused(stage.hall().attest(&package(skill), "test")),
        Attempt::Publish { skill, adapter } => {
            let package = attested(stage.hall(), skill, adapter.as_ref());
            refused(stage.hall().publish(&package))
        }
        Attempt::Install { skill, adapter, published, accept_powers } => {
            let package = attested(stage.hall(), skill, adapter.as_ref());
            if *published {
                stage.hall().certify(&package, 30).expect("it is certified");
                stage.hall().publish(&package).expect("it is published");
            }
            refused(stage.hall().install_accepting(&package, *accept_powers, &mut Silent))
        }
        Attempt::GrantRole { of, holder, role } => {
            let organisation = of.parse().expect("a name");
            refused(stage.hall().grant_role(&RolePlan { organisation, holder: holder.clone(), role: *role, namespace: None }))
        }
        Attempt::Build { component, skill } => built(stage, *component, skill),
        Attempt::Decide { .. } => panic!("a decision has no hall"),
    }
}

fn called(hall: &Hall, attempt: &Attempt, asked: Option<String>) -> Refusal {
    let Attempt::Call { skill, tool, input, data_label, correlation_id, caller, adapter, approval, dry_run } = attempt else {
        panic!("this is no call");
    };
    let mut call = good_call();
    call.skill = skill.as_deref().unwrap_or(stage::default_skill()).parse().expect("a skill in a version");
    call.tool = tool.as_deref().map(|tool| tool.parse().expect("a tool's name"));
    call.data_label = data_label.unwrap_or(call.data_label);
    if let Some(input) = input {
        call.input = Input::parse(input.as_bytes()).expect("the input is JSON");
    }
    if let Some(id) = correlation_id {
        call.correlation_id = id.text();
    }
    call.approval = if approval.as_deref() == Some("asked") { asked } else { approval.clone() };
    // A call by a token is made by whoever the hall says.
    let Some(owner) = hall.caller().expect("the owner is known") else {
        return refused(run_as(hall, call, None));
    };
    let through = adapter.as_deref().map_or_else(|| owner.adapter.clone(), |adapter| adapter.parse().expect("an adapter"));
    let owner = Caller { adapter: through, ..owner };
    let caller = match caller.as_deref() {
        None => Some(owner),
        Some("nobody") => None,
        Some(organisation) => Some(Caller { organisation: organisation.parse().expect("a name"), ..owner }),
    };
    if *dry_run { refused(hall.dry_run(call, caller, &mut Silent)) } else { refused(run_as(hall, call, caller)) }
}

fn refused<T>(outcome: Result<T, Refused>) -> Refusal {
    match outcome {
        Err(Refused::Denied { denial, record }) => Refusal::of(&denial, record),
        Err(Refused::Fault(fault)) => panic!("a fault, no denial: {fault}"),
        Ok(_) => panic!("it was not refused"),
    }
}

fn package(edits: &[(String, String)]) -> Package {
    redact_as(&edited(redact_toml(), edits)).expect("the skill is built")
}

fn attested(hall: &Hall, edits: &[(String, String)], adapter: Option<&Edited>) -> Arc<Package> {
    Arc::new(hall.attest(&with(package(edits), adapter), "test").expect("it is attested").0)
}

/// The package with an adapter edited by hand, and its new digest in skill.json.
fn with(package: Package, adapter: Option<&Edited>) -> Package {
    let Some(Edited { file, from, to }) = adapter else { return package };
    let text = String::from_utf8(package.file(file).expect("the package has the file").to_vec()).expect("it is text");
    let text = edited(text, &[(from.clone(), to.clone())]);
    let mut manifest = package.manifest().clone();
    manifest.adapters.insert(file.clone(), Digest::of(text.as_bytes()));
    let mut files: BTreeMap<String, Arc<[u8]>> = package.files().map(|(path, bytes)| (path.to_owned(), bytes.clone())).collect();
    files.insert(file.clone(), text.into_bytes().into());
    files.insert("skill.json".into(), json::canonical(&manifest).expect("a manifest is JSON").into());
    Package::from_files(files).expect("it is a package")
}

/// Builds with the command, and sees that nothing is packaged.
fn built(stage: &mut Stage, which: Component, edits: &[(String, String)]) -> Refusal {
    let source = stage.world.desk().join("source");
    match which {
        Component::Redact => write_source(&source, &edited(redact_toml(), edits), &redact_component()),
        Component::Http => write_source(&source, &edited(source_of("fetch", ""), edits), &component(HTTP)),
    }
    let folder = source.display().to_string();
    let error = hall_command(&stage.world.home(), &["build", &folder, "--no-command", "--json"]).error(3);
    assert!(files::below(&source.join("dist")).is_empty(), "a refused build leaves nothing in dist");
    let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_else(|| panic!("no {name}: {error}")).to_owned();
    let record = error.pointer("/details/record").and_then(Value::as_u64);
    Refusal { code: text("code"), stage: text("stage"), message: text("message"), record }
}

fn decided(path: &Path) -> Denial {
    let scenario: Value = serde_json::from_str(&files::text(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stamp = Stamp { decision_id: "00000000-0000-4000-8000-000000000000".into(), at: Timestamp::from_millis(0) };
    scenario::run(&scenario, stamp).denial().expect("the decision is a denial")
}

//! Kill switches: at whatever height one is pulled, what runs under it stops, and what comes after it is denied.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use skillhall::hall::{Config, Hall, Receipt, Run, Silent};
use skillhall_core::clock::SystemClock;
use skillhall_core::denial::Code;
use skillhall_core::failure::FailureCode;
use skillhall_core::govern::call::Call;
use skillhall_core::ledger::change::change;
use skillhall_core::ledger::{End, Event, EventKind};
use skillhall_core::package::Package;
use skillhall_core::registry::memory::MemoryRegistry;
use skillhall_core::registry::sqlite::SqliteRegistry;
use skillhall_core::registry::standing::{consult, marks_verdict};
use skillhall_core::registry::{
    Change, Commit, HostRecord, NamespaceRecord, OrgRecord, Published, Registry, Scope, StandingEvent, StandingQuery, State,
    StatementKind, Target,
};
use skillhall_tests::skills::{redact, spin};
use skillhall_tests::world::{World, call, install, records_from};

const SPIN: &str = "org.skillhall/spin@1.0.0";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// A hall whose skill runs until it is stopped.
struct Desk {
    world: World,
    hall: Arc<Hall>,
    package: Arc<Package>,
    runtime: tokio::runtime::Runtime,
}

impl Desk {
    fn new() -> Self {
        let world = World::bare();
        let hall = Arc::new(world.open());
        let package = install(&hall, &spin());
        Self { world, hall, package, runtime: runtime() }
    }

    /// Starts a run, and gives what waits for its end once it is recorded.
    fn start(&self) -> tokio::task::JoinHandle<Receipt> {
        let before = records_from(&self.hall, 0).len();
        let hall = self.hall.clone();
        let task = self.runtime.spawn(async move { hall.execute(call(SPIN, "{}")).await.expect("the host is well") });
        let begun = Instant::now();
        while !records_from(&self.hall, 0)[before..].iter().any(|record| record.event.kind == EventKind::SkillExecute) {
            assert!(begun.elapsed() < Duration::from_secs(60), "the run does not begin");
            std::thread::sleep(Duration::from_millis(2));
        }
        task
    }

    /// Changes the registry as whoever runs it may, from elsewhere.
    fn say(&self, kind: EventKind, entry: &Change) {
        let elsewhere = self.world.open();
        let event = Event::new(kind, elsewhere.now().expect("the time is known"));
        change(elsewhere.ledger().expect("the ledger"), elsewhere.registry().expect("the registry"), event, entry)
            .expect("it is said");
    }

    fn is_stopped(&self, task: tokio::task::JoinHandle<Receipt>, what: &str, code: Code) {
        let receipt = self.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), task).await });
        let receipt = receipt.unwrap_or_else(|_| panic!("{what}: it runs on")).expect("it ends");
        let failure = receipt.failure().unwrap_or_else(|| panic!("{what}: {receipt:?}"));
        assert_eq!(failure.code, FailureCode::Killed, "{what}: {failure:?}");
        assert!(failure.message.contains(code.as_str()), "{what}: {failure:?}");
        let records = records_from(&self.hall, 0);
        let end = records.iter().rfind(|record| record.event.kind == EventKind::SkillComplete).expect("it is recorded");
        assert_eq!(end.event.end, Some(End::Killed), "{what}");
        let next = self.runtime.block_on(self.hall.execute(call(SPIN, "{}"))).expect("the host is well");
        assert_eq!(next.denial().map(|denial| denial.code), Some(code), "{what}");
    }
}

/// Own skill and version, own callers, everybody, and the adapter: each of them stops a guest in the middle of its loop.
#[test]
fn a_switch_at_each_height_stops_what_runs_and_what_comes_after() {
    let desk = Desk::new();
    let manifest = desk.package.manifest();
    let own = Scope::Organisation(desk.hall.config().hall.organisation.clone());
    let (skill, version, namespace) = (manifest.id(), manifest.reference(), manifest.namespace.clone());
    let registry = desk.hall.registry().expect("it answers");
    let statements = registry.statements(&desk.package.manifest_hash()).expect("it answers");
    let of = |kind| statements.iter().rfind(|statement| statement.kind == kind).expect("it is there");
    let certification = of(StatementKind::Certification);
    let adapter = desk.hall.caller().expect("the owner").expect("there is one").adapter;
    let cases = [
        ("the owner revokes the skill", Target::Skill(skill.clone()), State::Revoked, Scope::Global, Code::SkillRevoked),
        ("the owner revokes the version", Target::Version(version.clone()), State::Revoked, Scope::Global, Code::SkillRevoked),
        ("banned for own callers", Target::Skill(skill.clone()), State::Banned, own.clone(), Code::SkillBanned),
        ("the version banned for own callers", Target::Version(version.clone()), State::Banned, own.clone(), Code::SkillBanned),
        (
            "the namespace banned for own callers",
            Target::Namespace(namespace.clone()),
            State::Banned,
            own.clone(),
            Code::NamespaceBanned,
        ),
        ("a hash banned for own callers", Target::Hash(manifest.component.sha256), State::Banned, own, Code::BannedHash),
        ("a hash banned", Target::Hash(desk.package.manifest_hash()), State::Banned, Scope::Global, Code::BannedHash),
        ("the skill banned", Target::Skill(skill.clone()), State::Banned, Scope::Global, Code::SkillBanned),
        ("the version banned", Target::Version(version), State::Banned, Scope::Global, Code::SkillBanned),
        ("the namespace banned", Target::Namespace(namespace), State::Banned, Scope::Global, Code::NamespaceBanned),
        ("the certifier's key banned", Target::Key(certification.signer.clone()), State::Banned, Scope::Global, Code::KeyBanned),
        (
            "the publisher's key banned",
            Target::Key(of(StatementKind::Attestation).signer.clone()),
            State::Banned,
            Scope::Global,
            Code::KeyBanned,
        ),
        ("the adapter degraded", Target::Adapter { skill, adapter }, State::Degraded, Scope::Global, Code::AdapterDegraded),
        (
            "the certification taken back",
            Target::Certification(certification.id.clone()),
            State::Revoked,
            Scope::Global,
            Code::CertificationRevoked,
        ),
    ];
    for (what, target, state, scope, code) in cases {
        let task = desk.start();
        desk.hall.stand(target.clone(), state, scope.clone(), "a test").unwrap_or_else(|refused| panic!("{what}: {refused}"));
        desk.is_stopped(task, what, code);
        desk.hall.stand(target, State::Active, scope, "a test").expect("it is restored");
    }
    desk.hall.audit(None).expect("the ledger is as it was written");
}

/// What is said of the caller, the namespace and the host from elsewhere stops a run just so.
#[test]
fn what_is_taken_from_caller_namespace_and_host_stops_what_runs() {
    let desk = Desk::new();
    let config = desk.hall.config();
    let organisation = config.hall.organisation.clone();
    let suspended =
        |suspended| Change::Organisation(OrgRecord { organisation: organisation.clone(), suspended, offboarded: false });
    let registry = desk.hall.registry().expect("it answers");
    let namespace = registry.namespace(&desk.package.manifest().namespace).expect("it answers").expect("it is registered");
    let given = NamespaceRecord { owner: "rival".parse().expect("a name"), ..namespace.clone() };
    let executable = skillhall::hall::executable_digest().expect("the executable is read");
    let host = |revoked| {
        Change::Host(HostRecord { host: config.hall.id.clone(), executable, configuration: desk.hall.policy_digest(), revoked })
    };
    let cases = [
        ("the organisation is suspended", EventKind::OrgSuspend, suspended(true), suspended(false), Code::OrgSuspended),
        (
            "the namespace is given away",
            EventKind::NamespaceRegister,
            Change::Namespace(given),
            Change::Namespace(namespace),
            Code::NamespaceUnauthorized,
        ),
        ("the host is revoked", EventKind::WorkerRevoke, host(true), host(false), Code::HostRevoked),
    ];
    for (what, kind, change, undo, code) in cases {
        let task = desk.start();
        desk.say(kind, &change);
        desk.is_stopped(task, what, code);
        desk.say(kind, &undo);
    }
}

/// How many decisions are taken while somebody pulls a switch and restores it.
fn decisions() -> u64 {
    std::env::var("SKILLHALL_DECISIONS").map_or(40_000, |text| text.parse().expect("SKILLHALL_DECISIONS is a number"))
}

/// Somebody flips a kill switch again and again while others decide: no decision that began after it was pulled, and ended before
/// it was restored, lets the call pass; and each that ran wholly in between a restore and the next pull does.
#[test]
fn no_decision_that_begins_after_a_switch_was_pulled_lets_anything_pass() {
    let folder = tempfile::tempdir().expect("a folder");
    let stores: [Arc<dyn Registry>; 2] = [
        Arc::new(MemoryRegistry::new()),
        Arc::new(SqliteRegistry::create(&folder.path().join("registry.db")).expect("it opens")),
    ];
    for (registry, share) in stores.into_iter().zip([100, 1]) {
        flip(&*registry, decisions() * share / 101);
    }
}

fn flip(registry: &dyn Registry, wanted: u64) {
    let package = redact();
    let manifest = package.manifest();
    let organisation = "acme".parse::<skillhall_core::id::OrgId>().expect("a name");
    let now = SystemClock.now();
    let sequence = AtomicU64::new(0);
    let apply = |change: &Change| {
        let commit = Commit { sequence: sequence.fetch_add(1, Ordering::SeqCst), digest: change.digest().expect("it has one") };
        registry.apply(change, commit).expect("it is applied");
    };
    apply(&Change::Organisation(OrgRecord { organisation: organisation.clone(), suspended: false, offboarded: false }));
    let namespace = manifest.namespace.clone();
    apply(&Change::Namespace(NamespaceRecord { namespace, owner: organisation.clone(), min_tier: 0, callers: Vec::new() }));
    apply(&Change::Publish(Published {
        skill: manifest.reference(),
        manifest_hash: package.manifest_hash(),
        component_hash: manifest.component.sha256,
        package_hash: skillhall_core::trust::awp::hash_of_package(&package),
        adapters: std::collections::BTreeMap::new(),
        provides: manifest.provides.clone(),
        publisher: organisation.clone(),
        by: None,
        published_at: now,
    }));
    let query = StandingQuery {
        skill: manifest.reference(),
        organisation: organisation.clone(),
        host: "host-1".parse().expect("a name"),
        adapter: "mcp".parse().expect("an adapter"),
        approval: None,
        token: None,
    };
    // Odd while the switch is pulled; raised after a pull has returned, and before a restore begins.
    let (generation, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let (taken, denied, allowed) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let flips = AtomicU64::new(0);
    let [many_flips, many_denied, many_allowed] = [10, 20, 20];
    // A machine that does other things too gives the one that flips its turn when it likes: so many decisions as are wanted, and then
    // as many as it takes to have met enough flips. Nothing is shown by fewer, so that the test fails then.
    let patience = Instant::now() + Duration::from_secs(120);
    let enough = || {
        flips.load(Ordering::SeqCst) > many_flips
            && denied.load(Ordering::SeqCst) > many_denied
            && allowed.load(Ordering::SeqCst) > many_allowed
    };
    let targets = [
        Target::Skill(manifest.id()),
        Target::Version(manifest.reference()),
        Target::Namespace(manifest.namespace.clone()),
        Target::Hash(package.manifest_hash()),
        Target::Key("org.skillhall/ed25519-1".parse().expect("a key")),
    ];
    let key = "org.skillhall/ed25519-1".parse().expect("a key");
    std::thread::scope(|scope| {
        let flipping = scope.spawn(|| {
            for (turn, target) in targets.iter().cycle().enumerate() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                flips.fetch_add(1, Ordering::SeqCst);
                for (state, name) in [(State::Banned, "ban"), (State::Active, "restore")] {
                    if state == State::Active {
                        generation.fetch_add(1, Ordering::SeqCst);
                    }
                    apply(&Change::Standing(StandingEvent {
                        id: format!("{name}-{turn}"),
                        scope: Scope::Global,
                        target: target.clone(),
                        state,
                        issuer: organisation.clone(),
                        by: "ada".into(),
                        reason: "a test".into(),
                        at: now,
                    }));
                    if state == State::Banned {
                        generation.fetch_add(1, Ordering::SeqCst);
                    }
                    // Long enough for some decisions to fall wholly in between.
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let decide = || {
            while taken.fetch_add(1, Ordering::SeqCst) < wanted || (!enough() && Instant::now() < patience) {
                let before = generation.load(Ordering::SeqCst);
                let standing = consult(registry, query.clone()).expect("it answers");
                let verdict = marks_verdict(&standing, &[&key]);
                let after = generation.load(Ordering::SeqCst);
                if verdict.is_ok() {
                    allowed.fetch_add(1, Ordering::SeqCst);
                    assert!(before != after || before % 2 == 0, "it was let pass while the switch was pulled ({before})");
                } else {
                    denied.fetch_add(1, Ordering::SeqCst);
                }
            }
        };
        let deciding: Vec<_> = (0..2).map(|_| scope.spawn(decide)).collect();
        // Whatever they found: or nobody would stop the one that flips.
        let decided: Vec<_> = deciding.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::SeqCst);
        decided.into_iter().for_each(|thread| thread.expect("it decides"));
        flipping.join().expect("it flips");
        let (met, flips) = (enough(), flips.load(Ordering::SeqCst));
        let (allowed, denied) = (allowed.load(Ordering::SeqCst), denied.load(Ordering::SeqCst));
        assert!(met, "{flips} flips, {allowed} allowed, {denied} denied");
        println!("{flips} flips, {} decisions: {allowed} allowed, {denied} denied", allowed + denied);
    });
}

/// From the call that pulls the switch to the receipt of the run that it stopped, in one process.
#[test]
#[ignore = "a measurement: cargo test --release --workspace --test suite -- --ignored --nocapture how_soon"]
fn how_soon_a_switch_acts() {
    let desk = Desk::new();
    let target = Target::Skill(desk.package.manifest().id());
    let times: Vec<(Duration, Duration)> = (0..200)
        .map(|_| {
            let ended = Arc::new(Mutex::new(None));
            let (hall, noted) = (desk.hall.clone(), ended.clone());
            let begun = Arc::new(AtomicBool::new(false));
            let running = begun.clone();
            let task = desk.runtime.spawn(async move {
                running.store(true, Ordering::SeqCst);
                let caller = hall.caller().expect("the owner");
                let call: Call = call(SPIN, "{}");
                let run = Run { call, caller, kill: skillhall::engine::KillHandle::new(), observer: &mut Silent };
                let receipt = hall.run(run).await.expect("the host is well");
                *noted.lock().expect("a lock") = Some(Instant::now());
                receipt
            });
            while !begun.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            std::thread::sleep(Duration::from_millis(30));
            let pulled = Instant::now();
            desk.hall.stand(target.clone(), State::Banned, Scope::Global, "a test").expect("it is banned");
            let said = Instant::now();
            let receipt = desk.runtime.block_on(task).expect("it ends");
            assert_eq!(receipt.failure().map(|failure| failure.code), Some(FailureCode::Killed), "{receipt:?}");
            desk.hall.stand(target.clone(), State::Active, Scope::Global, "a test").expect("it is restored");
            let ended = ended.lock().expect("a lock").expect("it ended");
            (ended.saturating_duration_since(said), ended.saturating_duration_since(pulled))
        })
        .collect();
    let show = |what: &str, mut times: Vec<Duration>| {
        times.sort();
        println!("{} runs stopped, {what}: p50 {:?}, p99 {:?}, longest {:?}", times.len(), times[100], times[197], times[199]);
    };
    show("after the switch was pulled", times.iter().map(|(after, _)| *after).collect());
    show("its own record and commit included", times.iter().map(|(_, all)| *all).collect());
}

/// A hall that was opened apart says it through the registry, and the run is stopped there too.
#[test]
fn a_switch_that_is_pulled_elsewhere_stops_what_runs_here() {
    let desk = Desk::new();
    let task = desk.start();
    let elsewhere =
        Hall::open(Config::at(desk.world.home()).clock(desk.world.clock.clone()).compile_in_process()).expect("it opens");
    elsewhere.stand(Target::Skill(desk.package.manifest().id()), State::Banned, Scope::Global, "a test").expect("it is banned");
    desk.is_stopped(task, "banned elsewhere", Code::SkillBanned);
}

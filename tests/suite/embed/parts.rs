//! A hall of one's own parts: what each that is left out refuses, and that what is given is what decides.

use std::path::Path;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use skillhall::hall::setup::{Plan, setup, setup_with};
use skillhall::hall::{Config, Hall};
use skillhall::sandbox::LocalPowers;
use skillhall_core::clock::{NoClock, SystemClock};
use skillhall_core::denial::{Code, Denial, Stage};
use skillhall_core::failure::FailureCode;
use skillhall_core::govern::config::Env;
use skillhall_core::govern::wcp::gate::{GateContext, GateError, PolicyGate, Verdict};
use skillhall_core::registry::memory::MemoryRegistry;
use skillhall_core::registry::sqlite::SqliteRegistry;
use skillhall_core::registry::{NoRegistry, Registry, Scope, State, Target};
use skillhall_core::trust::keys::{FileKeys, KeySource, NoKeys};
use skillhall_tests::skills::{TRAP, assemble, component, redact, source_of};
use skillhall_tests::world::{World, good_call, install, plan, size};

use super::{block_on, runs, sound};

fn registry(home: &Path) -> Arc<dyn Registry> {
    Arc::new(SqliteRegistry::open(&home.join("registry.db")).expect("the registry opens"))
}

fn keys(home: &Path) -> Arc<dyn KeySource> {
    Arc::new(FileKeys::new(Dir::open_ambient_dir(home.join("keys"), ambient_authority()).expect("the keys"), None))
}

/// How a call in this hall ends: its denial, if it is denied.
fn refused(config: Config) -> Option<Denial> {
    let hall = Hall::open(config).expect("the hall opens");
    let before = size(&hall);
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    assert_eq!(runs(&hall).0.len(), usize::from(receipt.output().is_some()), "nothing ran that was denied");
    assert_eq!(receipt.record().is_some(), size(&hall) > before);
    receipt.denial().cloned()
}

#[test]
fn a_part_that_is_left_out_refuses() {
    let world = World::ready();
    let home = world.home();
    let clock = Arc::new(SystemClock);
    let code = |config| refused(config).map(|denial| denial.code);

    assert_eq!(code(Config::new(&home)), Some(Code::TimeUnknown));
    assert_eq!(code(Config::new(&home).registry(registry(&home)).keys(keys(&home))), Some(Code::TimeUnknown));
    assert_eq!(code(Config::new(&home).clock(clock.clone()).keys(keys(&home))), Some(Code::RegistryUnreachable));
    let keyless = refused(Config::new(&home).clock(clock.clone()).registry(registry(&home))).expect("it is denied");
    assert_eq!((keyless.code, keyless.stage()), (Code::KeyUnknown, Stage::Attestation));
    // With all of them, the same hall runs the same call.
    assert_eq!(code(Config::new(&home).clock(clock).keys(keys(&home)).registry(registry(&home))), None);
}

#[test]
fn the_parts_that_stand_in_refuse_in_a_hall_that_has_the_others() {
    let world = World::ready();
    let code = |config| refused(config).map(|denial| denial.code);
    assert_eq!(code(Config::at(world.home()).registry(Arc::new(NoRegistry))), Some(Code::RegistryUnreachable));
    assert_eq!(code(Config::at(world.home()).clock(Arc::new(NoClock))), Some(Code::TimeUnknown));
    assert_eq!(code(Config::at(world.home()).keys(Arc::new(NoKeys))), Some(Code::KeyUnknown));
    assert_eq!(code(Config::at(world.home())), None);
}

#[test]
fn without_the_time_nothing_is_recorded_and_nothing_is_changed() {
    let world = World::ready();
    let hall = Hall::open(Config::new(world.home())).expect("the hall opens");
    let before = size(&hall);
    let receipt = block_on(hall.execute(good_call())).expect("the host is well");
    let denial = receipt.denial().expect("it is denied");
    assert_eq!((denial.code, denial.stage()), (Code::TimeUnknown, Stage::Host));
    assert!(denial.details.contains_key("unrecorded") && receipt.record().is_none() && receipt.ended_at().is_none());
    let target = Target::Skill(redact().manifest().id());
    assert!(hall.stand(target, State::Revoked, Scope::Global, "a test").is_err());
    assert!(hall.publish(&Arc::new(redact())).is_err() && hall.enroll().is_err() && hall.registry().is_err());
    assert_eq!(size(&hall), before);
    assert!(setup(&world.desk().join("new"), &plan(), &NoClock).is_err());
    assert!(!world.desk().join("new").exists());
}

struct Answers(&'static str);

impl PolicyGate for Answers {
    fn evaluate(&self, _: &GateContext) -> Result<Verdict, GateError> {
        Ok(Verdict { decision: self.0.into(), policy_version: "test.v1".into(), reason: "a test".into() })
    }
}

#[test]
fn a_hall_without_powers_grants_nothing() {
    let world = World::bare();
    let asks = source_of("reader", "[capabilities]\nfiles = [{ mount = \"/in\", access = \"read\" }]\n");
    let reader = assemble(&asks, component(TRAP), None).expect("the skill is built");
    install(&world.open(), &reader);
    let text = std::fs::read_to_string(world.home().join("hall.toml")).expect("hall.toml");
    let folder = world.desk().join("data");
    std::fs::create_dir(&folder).expect("a folder is made");
    let folder = folder.display();
    let grant = format!(
        "\n[grants.\"org.skillhall/reader\"]\nfiles = [{{ mount = \"/in\", folder = \"{folder}\", access = \"read\" }}]\n"
    );
    std::fs::write(world.home().join("hall.toml"), text + &grant).expect("hall.toml is written");
    world.open().enroll().expect("it is enrolled");
    let receipt = |config| {
        let hall = Hall::open(config).expect("the hall opens");
        block_on(hall.execute(super::call("reader", "{}"))).expect("the host is well")
    };
    let denied = receipt(Config::at(world.home()));
    let denial = denied.denial().expect("it is denied");
    assert_eq!((denial.code, denial.stage()), (Code::CapabilityNotGranted, Stage::Capability));
    assert!(denial.hint().contains("Config::powers"), "{}", denial.hint());
    // With powers, the grant counts, and the skill runs into its own trap.
    let ran = receipt(Config::at(world.home()).powers(Arc::new(LocalPowers::default())));
    assert_eq!(ran.failure().map(|failure| failure.code), Some(FailureCode::Trap), "{ran:?}");
}

#[test]
fn a_rule_that_asks_for_a_gate_refuses_without_one() {
    let world = World::ready();
    let home = world.desk().join("production");
    setup(&home, &Plan { env: Env::Prod, ..plan() }, &SystemClock).expect("a hall is made");
    let hall = Hall::open(Config::at(&home).compile_in_process()).expect("the hall opens");
    install(&hall, &redact());
    drop(hall);
    let code = |config| refused(config).map(|denial| denial.code);
    assert_eq!(code(Config::at(&home)), Some(Code::PolicyGateUnconfigured));
    assert_eq!(code(Config::at(&home).gate(Arc::new(Answers("DENY")))), Some(Code::PolicyGate));
    assert_eq!(code(Config::at(&home).gate(Arc::new(Answers("ALLOW")))), None);
}

#[test]
fn a_registry_of_ones_own_is_asked_at_every_call() {
    let world = World::bare();
    let home = world.desk().join("own");
    let own = Arc::new(MemoryRegistry::new());
    setup_with(&home, &plan(), &SystemClock, &*own).expect("a hall is made");
    assert!(!home.join("registry.db").exists());
    let hall = Hall::open(Config::at(&home).registry(own.clone()).compile_in_process()).expect("the hall opens");
    install(&hall, &redact());
    let run = || block_on(hall.execute(good_call())).expect("the host is well");
    assert!(run().output().is_some());
    assert_eq!(own.versions(&redact().manifest().id()).expect("it answers").len(), 1);
    let target = Target::Skill(redact().manifest().id());
    hall.stand(target, State::Banned, Scope::Global, "a test").expect("it is banned");
    assert_eq!(run().denial().map(|denial| denial.code), Some(Code::SkillBanned));
}

#[test]
fn an_empty_registry_is_filled_from_the_ledger() {
    let world = World::ready();
    let hall = Hall::open(Config::at(world.home()).registry(Arc::new(MemoryRegistry::new()))).expect("the hall opens");
    sound(&hall);
}

#[test]
fn a_registry_that_belongs_to_another_ledger_is_not_used() {
    let (world, other) = (World::ready(), World::bare());
    install(&other.open(), &redact());
    let denial = refused(Config::at(world.home()).registry(registry(&other.home()))).expect("it is denied");
    assert_eq!(denial.code, Code::RegistryUnreachable);
    assert!(denial.message.contains("does not agree with the ledger"), "{denial}");
}

#[test]
fn a_registry_that_comes_back_as_another_is_not_used() {
    let (world, other) = (World::ready(), World::bare());
    install(&other.open(), &redact());
    let hall = world.open();
    let denied = || block_on(hall.execute(good_call())).expect("the host is well").denial().cloned();
    let (file, aside) = (world.home().join("registry.db"), world.desk().join("registry.db"));
    assert_eq!(denied(), None);
    std::fs::rename(&file, &aside).expect("it is taken away");
    assert_eq!(denied().map(|denial| denial.code), Some(Code::RegistryUnreachable));
    std::fs::rename(other.home().join("registry.db"), &file).expect("another one is put in its place");
    let denial = denied().expect("it is denied");
    assert!(denial.message.contains("does not agree with the ledger"), "{denial}");
    std::fs::rename(&aside, &file).expect("it is put back");
    assert_eq!(denied().map(|denial| denial.code), Some(Code::RegistryUnreachable), "the file was exchanged");
    assert_eq!(denied(), None);
}

#[test]
fn a_policy_that_is_the_programs_own_is_enrolled_like_any_other() {
    let world = World::ready();
    let rules = world.home().join("rules.json");
    let text = std::fs::read_to_string(&rules).expect("the rules").replace("local_dev", "other_dev");
    std::fs::write(&rules, text).expect("the rules are written");
    assert_eq!(refused(Config::at(world.home())).map(|denial| denial.code), Some(Code::HostTampered));
    Hall::open(world.home()).expect("the hall opens").enroll().expect("it is enrolled");
    assert_eq!(refused(Config::at(world.home())), None);
}

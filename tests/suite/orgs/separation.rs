//! Separation of duties: above tier 0 nobody certifies what they brought in, whichever way round it is tried.

use std::sync::Arc;

use skillhall::hall::{Config, Hall, Refused, RolePlan, Silent, TokenPlan};
use skillhall_core::denial::Code;
use skillhall_core::id::Namespace;
use skillhall_core::package::Package;
use skillhall_core::registry::access::Role;
use skillhall_tests::files::{put, text};
use skillhall_tests::skills::{redact_as, redact_toml};
use skillhall_tests::world::{World, certify_apart, good_call, install, run};

fn heavy() -> Package {
    redact_as(&redact_toml().replace("policy_tier = 0", "policy_tier = 1")).expect("the skill is built")
}

fn code<T>(outcome: Result<T, Refused>) -> Code {
    match outcome {
        Err(Refused::Denied { denial, record }) => {
            assert!(record.is_some(), "it is recorded: {denial}");
            denial.code
        }
        Err(Refused::Fault(fault)) => panic!("a fault: {fault}"),
        Ok(_) => panic!("it was done"),
    }
}

/// The hall as somebody of acme sees it who has these roles.
fn as_holder(world: &World, holder: &str, roles: &[Role]) -> Hall {
    let hall = world.open();
    let (organisation, namespace): (_, Namespace) = ("acme".parse().expect("a name"), "org.skillhall".parse().expect("one"));
    for role in roles {
        let plan = RolePlan { organisation: Clone::clone(&organisation), holder: holder.into(), role: *role, namespace: None };
        hall.grant_role(&plan).expect("the role is given");
    }
    let plan = TokenPlan { roles: roles.iter().copied().collect(), ..TokenPlan::worker(organisation, holder, [namespace]) };
    let token = hall.issue_token(&plan).expect("the token is issued").text;
    Hall::open(world.config().token(&token)).expect("the hall opens")
}

#[test]
fn in_tier_0_the_owner_does_everything() {
    let world = World::ready();
    let receipt = run(&world.open(), good_call()).expect("it runs");
    assert_eq!(receipt.admitted().map(|admitted| (admitted.tier, admitted.by_right.as_str())), Some((0, "owner")));
}

#[test]
fn above_it_nobody_certifies_what_they_attested_or_published() {
    let world = World::bare();
    let hall = world.open();
    let attested = Arc::new(hall.attest(&heavy(), "test").expect("it is attested").0);
    // Not who attested, not yet published; nor by a token of the same name.
    assert_eq!(code(hall.certify(&attested, 1)), Code::DutySeparation);
    assert_eq!(code(as_holder(&world, "ada", &[Role::Certifier]).certify(&attested, 1)), Code::DutySeparation);
    // Who publishes and has not attested does not, either.
    let bob = as_holder(&world, "bob", &[Role::Author, Role::Certifier]);
    bob.publish(&attested).expect("it is published");
    assert_eq!(code(bob.certify(&attested, 1)), Code::DutySeparation);
    assert_eq!(code(hall.certify(&attested, 1)), Code::DutySeparation);
    certify_apart(&hall, &attested);
    hall.install(&attested, &mut Silent).expect("it is installed");
    assert!(run(&hall, good_call()).expect("it runs").output().is_some());
}

#[test]
fn nor_publishes_what_they_certified() {
    let world = World::bare();
    let attested = Arc::new(world.open().attest(&heavy(), "test").expect("it is attested").0);
    let bob = as_holder(&world, "bob", &[Role::Author, Role::Certifier]);
    bob.certify(&attested, 1).expect("bob has not brought it in");
    assert_eq!(code(bob.publish(&attested)), Code::DutySeparation);
    world.open().publish(&attested).expect("who attested may publish");
    world.open().install(&attested, &mut Silent).expect("it is installed");
    assert!(run(&world.open(), good_call()).expect("it runs").output().is_some());
}

/// What was in order in tier 0 is refused by gate 4 as soon as the tier is higher, whoever raises it.
#[test]
fn gate_4_judges_by_the_tier_of_the_moment() {
    let world = World::ready();
    let hall = world.open();
    let namespace = "org.skillhall".parse().expect("a namespace");
    hall.set_tier(&namespace, 1).expect("the tier is raised");
    assert_eq!(code(run(&hall, good_call())), Code::DutySeparation);
    let listed = hall.list().expect("it is listed");
    assert_eq!(listed.first().map(|shown| shown.standing), Some("DENY_DUTY_SEPARATION"));
    let published = hall.load(&good_call().skill).expect("it is installed");
    certify_apart(&hall, &published);
    assert!(run(&hall, good_call()).expect("somebody else has certified it").output().is_some());
    hall.set_tier(&namespace, 0).expect("the tier is lowered");

    let config = world.home().join("hall.toml");
    put(&config, text(&config).replacen("\nmin_tier = 0\n", "\nmin_tier = 2\n", 1).as_bytes());
    world.open().enroll().expect("it is enrolled");
    assert!(run(&world.open(), good_call()).expect("the same holds for the host's floor").output().is_some());
}

/// Two halls: the publisher's, and that of somebody alone who trusts the publisher's key.
#[test]
fn the_owner_passes_on_what_a_stranger_signed_and_certifies_it() {
    let (publisher, world) = (World::bare(), World::bare());
    let package = install(&publisher.open(), &redact_as(&redact_toml()).expect("the skill is built"));
    let path = world.home().join("hall.toml");
    put(&path, text(&path).replace("namespaces = [\"org.skillhall\"]", "namespaces = [\"org.mine\"]").as_bytes());
    let theirs = text(&publisher.home().join("keys/keyring.json"));
    let keyring = world.home().join("keys/keyring.json");
    let mut own: serde_json::Value = serde_json::from_str(&text(&keyring)).expect("JSON");
    let theirs: serde_json::Value = serde_json::from_str(&theirs).expect("JSON");
    own["own"] = serde_json::json!([]);
    let keys = theirs["namespaces"]["org.skillhall"]["keys"].as_array().expect("keys");
    let public: Vec<_> = keys.iter().filter(|key| key["algorithm"] == "ed25519").cloned().collect();
    own["namespaces"] = serde_json::json!({ "org.skillhall": { "keys": public } });
    put(&keyring, own.to_string().as_bytes());
    world.open().enroll().expect("it is enrolled");

    let hall = Hall::open(Config::at(world.home()).compile_in_process()).expect("the hall opens");
    hall.certify(&package, 30).expect("the owner certifies what a stranger signed");
    hall.publish(&package).expect("and passes it on");
    hall.install(&package, &mut Silent).expect("it is installed");
    let receipt = hall.verify(&package, &mut Silent);
    assert!(receipt.is_ok(), "{receipt:?}");
    // Somebody else who brings such a skill in and certifies it is one who does both.
    let bob = as_holder(&world, "bob", &[Role::Author, Role::Certifier]);
    bob.certify(&package, 30).expect("bob has not brought it in");
    assert_eq!(code(bob.publish(&package)), Code::DutySeparation);
}

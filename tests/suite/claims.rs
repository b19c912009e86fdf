//! What a caller says about itself counts for nothing: environment, organisation, name, adapter and tier come from the credential, the
//! configuration, the entry point and the registry.

use serde_json::{Value, json};
use skillhall_core::denial::Code;
use skillhall_core::govern::call::{Call, Caller};
use skillhall_core::ledger::{EventKind, Record};
use skillhall_core::registry::{Scope, State, Target};
use skillhall_tests::command::{command, finish, hall};
use skillhall_tests::files::{put, text};
use skillhall_tests::skills::{REDACT, redact_as, redact_toml};
use skillhall_tests::world::{World, good_call, install_apart, records_from, run_as};

const INPUT: &str = "{\"text\": \"ada@example.org\"}";

fn world() -> World {
    let world = World::ready();
    hall(&world.home(), &["setup", "--enroll", "--json"]).object();
    world
}

fn last(world: &World) -> Record {
    let records = records_from(&world.open(), 0);
    records.into_iter().rfind(|record| record.event.kind == EventKind::SkillExecute).expect("it is recorded")
}

#[test]
fn no_flag_states_who_calls_from_where_and_with_which_scrutiny() {
    let world = world();
    let claims =
        ["--env", "--environment", "--organisation", "--org", "--tenant", "--tenant-id", "--caller", "--owner", "--adapter"];
    for claim in claims.into_iter().chain(["--tier", "--policy-tier", "--host", "--role", "--namespace", "--as"]) {
        let claimed = hall(&world.home(), &["run", REDACT, "--input", INPUT, claim, "prod"]);
        assert_eq!(claimed.code, 2, "{claim}: {claimed:?}");
    }
}

#[test]
fn no_variable_of_the_environment_states_it_either() {
    let world = world();
    let plain = hall(&world.home(), &["run", REDACT, "--input", INPUT, "--json"]).object();
    let before = last(&world);
    let mut claimed = command(&world.home(), &["run", REDACT, "--input", INPUT, "--json"]);
    for name in ["ENV", "ORG", "ORGANISATION", "CALLER", "OWNER", "ADAPTER", "TIER", "POLICY_TIER", "TENANT", "HOST", "ROLE"] {
        for name in [format!("SKILLHALL_{name}"), format!("HALL_{name}"), format!("WCP_{name}")] {
            claimed.env(name, "prod");
        }
    }
    claimed.env("USER", "root").env("LOGNAME", "root").env("SUDO_USER", "root");
    let receipt = finish(&mut claimed).object();
    assert_eq!((&receipt["tier"], &receipt["matched_rule"]), (&plain["tier"], &plain["matched_rule"]));
    let after = last(&world);
    let who = |record: &Record| {
        let event = &record.event;
        (
            event.organisation.clone(),
            event.caller.clone(),
            event.adapter.clone(),
            event.host.clone(),
            event.data.get("env").cloned(),
        )
    };
    assert_eq!(who(&before), who(&after));
    assert_eq!(after.event.caller.as_deref(), Some("ada"));
}

#[test]
fn no_member_of_the_input_states_it() {
    let world = world();
    for claim in ["env", "organisation", "tenant_id", "caller", "adapter", "tier", "policy_tier", "approval", "skill", "_meta"] {
        let input = json!({ "text": "", claim: "prod" }).to_string();
        let refused = hall(&world.home(), &["run", REDACT, "--input", &input, "--json"]).ends(3);
        let error: Value = serde_json::from_str(&refused.stderr).expect("one object on stderr");
        assert_eq!(error["error"]["code"], "DENY_INPUT_SCHEMA", "{claim}: {error}");
    }
}

/// A program that embeds a hall says who its caller is; the registry says what that one may.
#[test]
fn a_caller_of_another_organisation_gets_nothing_for_its_word() {
    let world = World::ready();
    let hall = world.open();
    let owner = hall.caller().expect("the owner is known").expect("there is one");
    let code = |caller: Option<Caller>, call: Call| match run_as(&hall, call, caller) {
        Ok(receipt) => panic!("it ran: {receipt:?}"),
        Err(refused) => refused.to_string(),
    };
    let stranger = Caller { organisation: "rival".parse().expect("a name"), ..owner.clone() };
    assert!(code(Some(stranger), good_call()).contains(Code::NamespaceUnauthorized.as_str()));
    assert!(code(None, good_call()).contains(Code::Unauthenticated.as_str()));
    // Whoever comes through an adapter is judged as coming through it.
    let target = Target::Adapter { skill: good_call().skill.id, adapter: "mcp".parse().expect("an adapter") };
    hall.stand(target, State::Degraded, Scope::Global, "a test").expect("it is degraded");
    let through = Caller { adapter: "mcp".parse().expect("an adapter"), ..owner.clone() };
    assert!(code(Some(through), good_call()).contains(Code::AdapterDegraded.as_str()));
    assert!(run_as(&hall, good_call(), Some(owner)).expect("it runs").output().is_some());
}

/// The environment is the host's configuration, and a configuration that was edited is not the one that is enrolled.
#[test]
fn an_environment_that_is_edited_into_the_configuration_is_told() {
    let world = world();
    let path = world.home().join("hall.toml");
    let kept = text(&path);
    assert!(kept.contains("env = \"dev\""), "{kept}");
    put(&path, kept.replace("env = \"dev\"", "env = \"prod\"").as_bytes());
    let refused = hall(&world.home(), &["run", REDACT, "--input", INPUT, "--json"]).ends(3);
    let error: Value = serde_json::from_str(&refused.stderr).expect("one object on stderr");
    assert_eq!(error["error"]["code"], "DENY_HOST_TAMPERED", "{error}");
}

/// An author can ask for more scrutiny, never for less.
#[test]
fn a_tier_that_an_author_states_only_counts_upwards() {
    for (stated, floor, counts) in [(0, 0, 0), (0, 2, 2), (2, 0, 2), (1, 2, 2), (2, 1, 2)] {
        let world = World::bare();
        let path = world.home().join("hall.toml");
        let kept = text(&path);
        assert!(kept.contains("\nmin_tier = 0\n"), "{kept}");
        put(&path, kept.replacen("\nmin_tier = 0\n", &format!("\nmin_tier = {floor}\n"), 1).as_bytes());
        let toml = redact_toml().replace("policy_tier = 0", &format!("policy_tier = {stated}"));
        world.open().enroll().expect("it is enrolled");
        install_apart(&world.open(), &redact_as(&toml).expect("the skill is built"));
        hall(&world.home(), &["setup", "--enroll", "--json"]).object();
        let receipt = hall(&world.home(), &["run", REDACT, "--input", INPUT, "--json"]).object();
        assert_eq!(receipt["tier"], counts, "stated {stated}, floor {floor}");
    }
}

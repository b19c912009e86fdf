//! Skills that call skills: what they are given, what they are refused, what it costs them, and what is recorded.

mod budgets;
mod commands;
mod ends;
mod refusals;
mod works;

use std::future::Future;
use std::sync::Arc;

use serde_json::{Value, json};
use skillhall::hall::{Hall, Receipt};
use skillhall::sandbox::LocalPowers;
use skillhall_core::capability::tools::{Grant, parse_versions};
use skillhall_core::govern::call::{Call, Input};
use skillhall_core::ledger::{EventKind, Record};
use skillhall_core::package::Package;
use skillhall_tests::world::{World, install, records_from};

/// A hall in which the real skill and these are installed, and each is granted these others: `("one", "two@^1")`.
struct Desk {
    world: World,
}

impl Desk {
    fn new(packages: &[Package], grants: &[(&str, &str)]) -> Self {
        let desk = Self { world: World::ready() };
        let hall = desk.world.open();
        packages.iter().for_each(|package| drop(install(&hall, package)));
        drop(hall);
        for (skill, callee) in grants {
            desk.grant(skill, callee);
        }
        desk
    }

    fn grant(&self, skill: &str, callee: &str) {
        let (callee, versions) = callee.split_once('@').unwrap_or((callee, "*"));
        let grant = Grant::new(
            format!("org.skillhall/{callee}").parse().expect("a skill"),
            parse_versions(versions).expect("a range of versions"),
        );
        let skill = format!("org.skillhall/{skill}").parse().expect("a skill");
        self.world
            .open()
            .grant(&skill, |before| {
                let mut after = before.clone();
                after.tools.push(grant);
                after
            })
            .expect("it is granted");
    }

    fn open(&self) -> Hall {
        Hall::open(self.world.config().powers(Arc::new(LocalPowers::default()))).expect("the hall opens")
    }
}

/// What a caller's tool is given to make it call that tool of that skill.
fn asking(callee: &str, tool: &str, input: &Value) -> Value {
    json!({ "skill": format!("org.skillhall/{callee}"), "tool": tool, "input": input.to_string() })
}

/// A call of a skill's tool.
fn calling(skill: &str, tool: &str, input: &Value) -> Call {
    let input = Input::from_value(input).expect("the input is JSON");
    let call = Call::new(format!("org.skillhall/{skill}@1.0.0").parse().expect("a version"), input);
    call.tool(tool.parse().expect("a tool")).correlation_id("e2e")
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn execute(hall: &Hall, call: Call) -> Receipt {
    block_on(hall.execute(call)).expect("the host is well")
}

/// What the calling skill was told instead of a result.
fn told(receipt: &Receipt) -> &Value {
    let failure = receipt.failure().unwrap_or_else(|| panic!("{receipt:?}"));
    failure.error.as_deref().unwrap_or_else(|| panic!("{failure:?}"))
}

/// The decisions and ends about a skill, each as the kind, the code or failure, and the record.
fn about(hall: &Hall, skill: &str) -> Vec<Record> {
    let runs = [EventKind::SkillExecute, EventKind::SkillDeny, EventKind::SkillComplete];
    let mut records = records_from(hall, 0);
    records.retain(|record| {
        let named = record.event.skill.as_ref().is_some_and(|id| id.to_string() == format!("org.skillhall/{skill}"));
        named && runs.contains(&record.event.kind)
    });
    records
}

/// Every run has an end, and the ledger is as it was written.
fn sound(hall: &Hall) {
    assert_eq!(hall.audit(None).expect("the ledger is as it was written").interrupted, []);
    crate::events::are_described(hall.folder().path());
}

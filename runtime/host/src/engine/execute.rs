//! Running a recorded call: the one way to run a guest.
//!
//! [`Executed`] is a gate type: only [`execute`] makes one, from a [`RecordedCall`] that it consumes. So nothing runs that
//! is not recorded, and a receipt, which is made of an `Executed`, cannot be made without a run.

use std::sync::Arc;

use serde_json::json;
use skillhall_core::capability::{Grants, Link as Granted, PowerClass};
use skillhall_core::denial::Denial;
use skillhall_core::digest::Digest;
use skillhall_core::failure::{Failure, FailureCode};
use skillhall_core::govern::call::Call;
use skillhall_core::govern::isolation::{Isolation, Locks};
use skillhall_core::id::ToolName;
use skillhall_core::ledger::record::{GivenUp, OpenRecord, RecordedCall, Work};
use skillhall_core::package::Package;
use tokio::sync::mpsc;

use super::elsewhere::{Apart, elsewhere};
use super::outcome::{scrub_calls, scrub_origins};
use super::run::{OwnAssets, Told, never_began, stopped};
use super::{
    EngineFault, Engines, KillHandle, KillReason, Limits, Order, Outcome, PrepareError, PrepareEvent, Prepared, Tally, run,
};
use crate::sandbox::assets::Assets;
use crate::sandbox::{Broker, Given, Link, Powers, Replay, Reserved, SandboxLinks};

/// A call that ran, and whose record is still open.
pub struct Executed {
    parts: Parts,
}

/// What closing a record and making a receipt need.
pub(crate) struct Parts {
    pub(crate) call: Call,
    pub(crate) tool: ToolName,
    pub(crate) manifest_hash: Digest,
    pub(crate) open: OpenRecord,
    pub(crate) outcome: Outcome,
    /// What was granted, each as a line.
    pub(crate) grants: Vec<String>,
    /// Cached code that was refused on the way, for the record.
    pub(crate) rejected_code: Vec<String>,
    /// Behind which locks the guest ran, if it ran in a process of its own.
    pub(crate) isolated: Option<Locks>,
}

impl Executed {
    pub(crate) fn into_parts(self) -> Parts {
        self.parts
    }
}

/// What a run can reach, if it was granted: of the machine, and of the package.
#[derive(Clone, Copy)]
pub struct Reach<'a> {
    /// What makes each call's broker.
    pub powers: &'a dyn Powers,
    /// What no guest is given.
    pub reserved: &'a Arc<Reserved>,
    /// Where packages' own assets are laid out.
    pub assets: &'a Assets,
    /// Fixed time and seed: of a rehearsal, and of nothing else, so it is the crate's own.
    pub(crate) replay: Option<&'a Replay>,
}

/// Runs the call in a fresh sandbox that holds what was granted and nothing else (and never what is `reserved`, whatever was
/// granted), within its limits, until it ends or is killed. The guest runs at most once; whatever happens to it, this returns
/// how it ended.
///
/// Dropping the future stops the guest and then closes the record, with what the guest had used: as killed if the handle
/// had been told to, else as cancelled. The drop waits for the disk.
pub async fn execute(
    engines: &Engines,
    reach: Reach<'_>,
    recorded: RecordedCall,
    maximum: &Limits,
    kill: &KillHandle,
    on_event: &mut (dyn FnMut(PrepareEvent) + Send),
) -> Executed {
    let (work, mut open) = recorded.start();
    let Work { package, call, tool, grants, isolation } = work;
    let limits = Limits::resolve(&package.manifest().limits, maximum);
    let decision = open.facts().decision_id.clone();
    let above = call.chain.links().iter().map(|link| link.decision_id.clone()).collect();
    let broker = reach.powers.broker(&grants);
    let told = Arc::clone(&broker);
    let mut running = Running { open: &mut open, tally: Tally::new(&limits), kill, told: &*told, rejected_code: Vec::new() };
    let rejected_code = &mut running.rejected_code;
    let prepared = prepare(engines, &package, limits.fuel.is_some(), kill, &mut |event| {
        if let PrepareEvent::CacheRejected(reason) = &event {
            rejected_code.push(reason.to_string());
        }
        on_event(event);
    })
    .await;
    let mut isolated = None;
    let assets = assets(reach.assets, &package, &grants);
    let mut outcome = match (prepared, package.manifest().tools.get(&tool), assets) {
        (Ok(prepared), Some(declared), Ok(assets)) => {
            let export = declared.export.clone();
            let (links, reserved) = (links(&grants), Arc::clone(reach.reserved));
            let input = call.input.value().clone();
            let given = Given::from(&grants);
            let replay = reach.replay.cloned();
            let order = Order { prepared, export, input, limits, links, given, broker, reserved, assets, replay };
            let outcome = match isolation {
                Isolation::None => run(order, kill, &running.tally).await,
                Isolation::Process { landlock } => {
                    let apart = Apart { owner: owner(&grants), landlock, decision, above };
                    let (outcome, locks) = elsewhere(engines, order, apart, kill, &running.tally).await;
                    isolated = locks;
                    outcome
                }
            };
            hold_to_schema(outcome, &package, &tool)
        }
        (Ok(_), Some(_), Err(denial)) => never_began(&limits, Failure::new(FailureCode::Grant, denial.message)),
        (Err(error), _, _) => never_began(&limits, unprepared(&error, kill)),
        (Ok(_), None, _) => never_began(&limits, Failure::new(FailureCode::Link, format!("there is no tool {tool}"))),
    };
    let rejected_code = std::mem::take(&mut running.rejected_code);
    drop(running);
    outcome.scrub(&*told);
    // The broker that wrote the hints knows grants, not whose they are.
    let skill = package.manifest().id().to_string();
    outcome.refusals.iter_mut().for_each(|refusal| refusal.hint = refusal.hint.replace("NAMESPACE/NAME", &skill));
    let manifest_hash = package.manifest_hash();
    let grants = grants.list();
    Executed { parts: Parts { call, tool, manifest_hash, open, outcome, grants, rejected_code, isolated } }
}

/// A run that somebody waits for. When it goes, its record learns how it would be closed if nobody closed it.
struct Running<'a> {
    open: &'a mut OpenRecord,
    tally: Tally,
    kill: &'a KillHandle,
    /// Who takes secrets out of what is told.
    told: &'a dyn Broker,
    rejected_code: Vec<String>,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let code = match self.kill.reason() {
            Some(KillReason::Killed(_)) => FailureCode::Killed,
            Some(KillReason::Cancelled(_)) | None => FailureCode::Cancelled,
        };
        let Told { used, mut http, mut calls, sockets } = self.tally.told();
        scrub_origins(&mut http, self.told);
        scrub_calls(&mut calls, self.told);
        self.open.if_dropped(GivenUp {
            failure: code,
            resources: used.to_map(),
            rejected_code: std::mem::take(&mut self.rejected_code),
            http: http.iter().map(|requested| json!(requested)).collect(),
            sockets: sockets.iter().map(|reached| json!(reached)).collect(),
            calls: calls.iter().map(|called| json!(called)).collect(),
        });
    }
}

/// Compiles or loads off the caller's thread, since a large component compiles for seconds.
async fn prepare(
    engines: &Engines,
    package: &Arc<Package>,
    fuel: bool,
    kill: &KillHandle,
    on_event: &mut (dyn FnMut(PrepareEvent) + Send),
) -> Result<Arc<Prepared>, PrepareError> {
    let (engines, package, kill) = (engines.clone(), Arc::clone(package), kill.clone());
    let (sender, mut receiver) = mpsc::unbounded_channel();
    // Gone with this future.
    let waiting = Arc::new(());
    let waits = Arc::downgrade(&waiting);
    let work = tokio::task::spawn_blocking(move || {
        let digest = package.manifest().component.sha256;
        let wanted = || waits.strong_count() > 0 && kill.reason().is_none();
        // A caller that is gone needs to hear nothing.
        engines.prepare_while(&package.component(), digest, fuel, &wanted, &mut |event| drop(sender.send(event)))
    });
    while let Some(event) = receiver.recv().await {
        on_event(event);
    }
    let prepared = work.await.unwrap_or_else(|_| Err(PrepareError::Refused("preparing its code panicked".into())));
    drop(waiting);
    prepared
}

/// The end of a run whose code was not made.
fn unprepared(error: &PrepareError, kill: &KillHandle) -> Failure {
    match (error, kill.reason()) {
        (PrepareError::Fault(EngineFault::Stopped), Some(reason)) => stopped(&reason.stop()),
        (PrepareError::Fault(fault), _) => Failure::new(FailureCode::Link, format!("{fault}; {}", fault.hint())),
        _ => Failure::new(FailureCode::Link, error.to_string()),
    }
}

/// The package's own assets, laid out, if it asked for them.
fn assets(assets: &Assets, package: &Package, grants: &Grants) -> Result<Option<OwnAssets>, Denial> {
    if !grants.assets() {
        return Ok(None);
    }
    Ok(Some(OwnAssets { dir: assets.of(package)?, alone: grants.files().is_empty() }))
}

/// For whom a worker works: one never works for two.
fn owner(grants: &Grants) -> String {
    grants.holder().map_or_else(String::new, |holder| format!("{} {}", holder.organisation, holder.skill))
}

/// How what was granted is linked.
pub(crate) fn links(grants: &Grants) -> SandboxLinks {
    let link = |class| match grants.links(class) {
        Some(Granted::Empty) => Link::Empty,
        Some(Granted::Granted) => Link::Granted,
        None => Link::Absent,
    };
    SandboxLinks {
        files: link(PowerClass::Files),
        http: link(PowerClass::Http),
        sockets: link(PowerClass::Sockets),
        config: link(PowerClass::Config),
        keyvalue: link(PowerClass::Keyvalue),
        secrets: link(PowerClass::Secrets),
        tools: link(PowerClass::Tools),
    }
}

/// A result that breaks the tool's own schema is a failure, not a result.
fn hold_to_schema(outcome: Outcome, package: &Package, tool: &ToolName) -> Outcome {
    let broken = match (&outcome.end, package.schemas(tool)) {
        (Err(_), _) => None,
        (Ok(_), Err(error)) => Some(format!("its schema does not compile: {error}")),
        (Ok(value), Ok(schemas)) => {
            schemas.output.validate(value).err().map(|violation| format!("{}: {}", violation.pointer, violation.message))
        }
    };
    match broken {
        None => outcome,
        Some(message) => Outcome { end: Err(Failure::new(FailureCode::OutputSchema, message)), ..outcome },
    }
}

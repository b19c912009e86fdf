//! One guest, run as any call is run, and a good one after it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use skillhall_core::capability::files::Access;
use skillhall_core::capability::{Asks, Grants, narrow};
use skillhall_core::digest::Digest;

use super::choice;
use super::guest::{Guest, HeadError, Plan};
use super::judge::{Came, Finding, judge};
use super::scratch::Scratch;
use crate::engine::execute::links;
use crate::engine::{
    Apart, Compiler, Elsewhere, EngineConfig, EngineFault, Engines, InThisProcess, KillHandle, Order, Outcome, PrepareError,
    Prepared, Tally, run,
};
use crate::sandbox::{Given, LocalPowers, Powers as _, Reserved};
use crate::worker::{self, CompileLimits, PoolLimits, Worker, Workers};

/// By how much a run may be over its time where the machine may be busy with anything.
const OVERRUN: Duration = Duration::from_millis(250);
/// How often a run that was over it is tried.
const TRIES: u32 = 3;

/// Runs the built-in guests, in engines of its own.
#[derive(Debug)]
pub struct Doctor {
    pub(super) engines: Engines,
    pub(super) guests: Vec<Guest>,
    pub(super) good: Guest,
    pub(super) overrun: Duration,
    /// Where guests run, if not in this process.
    pub(super) elsewhere: Option<Arc<dyn Elsewhere>>,
}

impl Doctor {
    /// Starts the engine. No cache is used, so that what is run was compiled now and here: by the process that compiles what
    /// strangers wrote, if this program can be one ([`worker::enter`](crate::worker::enter())), else in this one.
    ///
    /// # Errors
    /// If the engine is below the floor or does not start on this machine.
    pub fn new() -> Result<Self, EngineFault> {
        let told = |error: HeadError| EngineFault::Start(format!("a built-in guest cannot be read: {error}"));
        let (guests, good) = choice::guests().map_err(told)?;
        let compiler: Arc<dyn Compiler> =
            if worker::entered() { Arc::new(Worker { limits: CompileLimits::default() }) } else { Arc::new(InThisProcess) };
        let engines = Engines::start(EngineConfig::default(), compiler)?;
        Ok(Self { engines, guests, good, overrun: OVERRUN, elsewhere: None })
    }

    /// The same guests, which must end in the same ways, in worker processes.
    #[must_use]
    pub fn isolated(mut self) -> Self {
        self.elsewhere = Some(Arc::new(Workers::new(PoolLimits { workers: 4, idle: Duration::from_secs(5) })));
        self
    }

    async fn run(&self, order: Order) -> Outcome {
        let (tally, kill) = (Tally::new(&order.limits), KillHandle::new());
        match &self.elsewhere {
            Some(elsewhere) => elsewhere.run(order, Apart::of("doctor", false), &kill, &tally).await.0,
            None => run(order, &kill, &tally).await,
        }
    }

    /// The guests, by name.
    #[must_use]
    pub fn guests(&self) -> &[Guest] {
        &self.guests
    }

    /// Runs a guest, and a good one after it. It is awaited where a call is: in a tokio runtime with a timer.
    pub async fn examine(&self, guest: &Guest) -> Finding {
        let start = Instant::now();
        let mut wrong = Vec::new();
        let came = match self.play(guest, &mut wrong).await {
            Ok(came) => Some(came),
            Err(fault) => {
                wrong.push(fault);
                None
            }
        };
        if let Some(came) = &came {
            wrong.extend(judge(&guest.plan, came, self.overrun));
        }
        if let Err(fault) = self.next_call().await {
            wrong.push(format!("the next call was touched: {fault}"));
        }
        Finding::new(guest, came.as_ref(), wrong, start.elapsed())
    }

    /// Runs the guest as often as it says; gives the end of the last run, or of the first that is not as it must be.
    pub(super) async fn play(&self, guest: &Guest, wrong: &mut Vec<String>) -> Result<Came, String> {
        let plan = &guest.plan;
        let prepared = match self.prepare(guest).await? {
            Ok(prepared) => prepared,
            Err(error) => return Ok(Came::Refused(error)),
        };
        let mut came = self.in_time(plan, &prepared, wrong).await?;
        for _ in 1..plan.runs.unwrap_or(1) {
            if !judge(plan, &came, self.overrun).is_empty() {
                break;
            }
            came = self.in_time(plan, &prepared, wrong).await?;
        }
        Ok(came)
    }

    /// Runs it once; again if it was stopped late. A machine that is busy with other things is late now and then; a time that does
    /// not hold is exceeded each time.
    async fn in_time(&self, plan: &Plan, prepared: &Arc<Prepared>, wrong: &mut Vec<String>) -> Result<Came, String> {
        let mut came = self.once(plan, Arc::clone(prepared), wrong).await?;
        for _ in 1..TRIES {
            if !came.is_late(self.overrun) {
                break;
            }
            came = self.once(plan, Arc::clone(prepared), wrong).await?;
        }
        Ok(came)
    }

    async fn once(&self, plan: &Plan, prepared: Arc<Prepared>, wrong: &mut Vec<String>) -> Result<Came, String> {
        let mounts: Vec<&str> = plan.powers.files.entries().iter().map(|ask| ask.mount.as_str()).collect();
        let scratch = if mounts.is_empty() { None } else { Some(Scratch::new(&mounts).map_err(|fault| fault.to_string())?) };
        let grants = grants(&plan.powers, scratch.as_ref())?;
        let order = Order {
            prepared,
            export: plan.export.clone(),
            input: plan.input.clone(),
            limits: plan.limits.clone(),
            links: links(&grants),
            given: Given::from(&grants),
            broker: LocalPowers::default().broker(&grants),
            reserved: Arc::new(Reserved::nothing()),
            assets: None,
            replay: None,
        };
        let outcome = self.run(order).await;
        if let Some(scratch) = &scratch {
            wrong.extend(scratch.trespass());
            if plan.powers.files.entries().iter().all(|ask| ask.access == Access::Read) {
                wrong.extend(scratch.change());
            }
        }
        Ok(Came::Ended(Box::new(outcome)))
    }

    /// Compiles off the caller's thread: `Err` is the host's own trouble.
    async fn prepare(&self, guest: &Guest) -> Result<Result<Arc<Prepared>, PrepareError>, String> {
        let (engines, component) = (self.engines.clone(), Arc::clone(&guest.component));
        let fuel = guest.plan.limits.fuel.is_some();
        let work = tokio::task::spawn_blocking(move || {
            let digest = Digest::of(&component);
            engines.prepare(&component, digest, fuel, &mut |_| {})
        });
        match work.await {
            Ok(Err(PrepareError::Fault(fault))) => Err(fault.to_string()),
            Ok(prepared) => Ok(prepared),
            Err(_) => Err("the engine panicked while it compiled the guest".to_owned()),
        }
    }

    /// A good guest gives its value, so nothing of what came before is left.
    async fn next_call(&self) -> Result<(), String> {
        let mut wrong = Vec::new();
        let came = self.play(&self.good, &mut wrong).await?;
        wrong.extend(judge(&self.good.plan, &came, self.overrun));
        wrong.into_iter().next().map_or(Ok(()), Err)
    }

    /// How a guest's run ends, for whoever looks at more than a finding.
    #[cfg(test)]
    pub(super) async fn outcome(&self, guest: &Guest) -> Outcome {
        match self.play(guest, &mut Vec::new()).await {
            Ok(Came::Ended(outcome)) => *outcome,
            other => panic!("{}: {other:?}", guest.name()),
        }
    }
}

/// What a guest asks for, granted by a policy that names just that.
fn grants(asks: &Asks, scratch: Option<&Scratch>) -> Result<Grants, String> {
    let folder = |mount: &str| scratch.map(|scratch| scratch.folder(mount).display().to_string());
    let files: Vec<Value> = asks
        .files
        .entries()
        .iter()
        .map(|ask| json!({ "mount": ask.mount, "folder": folder(&ask.mount), "access": ask.access }))
        .collect();
    let policy = json!({ "files": files, "http": asks.http.entries(), "sockets": asks.sockets.entries(), "tools": asks.tools });
    let policy = serde_json::from_value(policy).map_err(|error| error.to_string())?;
    narrow(asks, &policy).map_err(|denial| denial.message)
}

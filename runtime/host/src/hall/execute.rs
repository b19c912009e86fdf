//! The straight line of one call: ask the registry, verify, decide, record, run, close.

use std::sync::Arc;
use std::time::{Duration, Instant};

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial, Stage};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Authority, Call, Caller};
use skillhall_core::govern::decide::{Admission, Moment, Refusal, decide};
use skillhall_core::govern::separation::separate;
use skillhall_core::govern::stands::Depends;
use skillhall_core::ledger::EventKind;
use skillhall_core::ledger::record::{RecordedCall, record, record_refusal};
use skillhall_core::ledger::reserve::reserve;
use skillhall_core::quotas::Claim;
use skillhall_core::random;
use skillhall_core::registry::standing::{Standing, consult};
use skillhall_core::registry::{Registry as _, StandingQuery, StatementKind};
use skillhall_core::trust::{CertificationInput, Expected, VerifiedPackage, verify};

use crate::engine::execute::{Executed, Reach, execute};
use crate::engine::{KillHandle, KillReason, Limits, PrepareEvent};
use crate::sandbox::tools::Calls;
use crate::sandbox::{DenyAll, Powers};

use super::nested::{Counter, Parent};
use super::receipt::{self, GateTime, Receipt, close};
use super::{Fault, Hall};

/// What is told while a call goes through the gates.
#[derive(Debug)]
pub enum Step<'a> {
    /// A gate was passed.
    Passed {
        /// Which.
        gate: Stage,
        /// How long it took.
        took: Duration,
    },
    /// Something about the compiled code.
    Code(&'a PrepareEvent),
}

/// Who is told.
pub trait Observer: Send {
    /// A step was made.
    fn step(&mut self, step: Step<'_>);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn step(&mut self, _: Step<'_>) {}
}

/// One call, and who is told of it. What [`Hall::execute`] and [`Hall::execute_for`] leave to their defaults.
pub struct Run<'a> {
    /// What is called.
    pub call: Call,
    /// Who calls, as the credential proved it; `None` is nobody, and is denied at gate 6.
    pub caller: Option<Caller>,
    /// Stops the run from outside.
    pub kill: KillHandle,
    /// Who is told while it happens. A panic in there ends the call as dropping its future does.
    pub observer: &'a mut dyn Observer,
}

/// A verb that was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It was denied.
    #[error("{denial}")]
    Denied {
        /// Why.
        denial: Denial,
        /// The ledger's sequence of the denial, if it could be recorded.
        record: Option<u64>,
    },
    /// The host itself failed.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Times the gates and tells of each as it is passed.
struct Gates<'a> {
    observer: &'a mut dyn Observer,
    since: Instant,
    times: Vec<GateTime>,
}

impl<'a> Gates<'a> {
    fn new(observer: &'a mut dyn Observer) -> Self {
        Self { observer, since: Instant::now(), times: Vec::with_capacity(11) }
    }

    fn passed(&mut self, gate: Stage) {
        let took = self.since.elapsed();
        self.times.push(GateTime { gate, microseconds: u64::try_from(took.as_micros()).unwrap_or(u64::MAX) });
        self.observer.step(Step::Passed { gate, took });
        self.since = Instant::now();
    }
}

/// A call as it was asked, kept for its refusal and for watching its standing while it runs.
pub(super) struct Asked {
    pub(super) call: Call,
    pub(super) caller: Option<Caller>,
    pub(super) moment: Moment,
}

/// How often the registry is asked while a guest runs.
const WATCH: Duration = Duration::from_millis(250);
/// For how long the registry may be lost while a guest runs.
const LOST: Duration = Duration::from_secs(10);

impl Hall {
    /// Runs a call for the account that runs this process, if every gate lets it pass. The receipt says what was decided,
    /// and how the run ended, well or badly.
    ///
    /// Dropping the future stops the guest and closes the record of the run as cancelled, before the drop returns. The
    /// future gives way every few milliseconds while guest code runs; the gates read the registry, the package and the keys
    /// and write the ledger on the thread that polls it.
    ///
    /// Must be awaited in a tokio runtime with a timer; a call can be given up by dropping the future, as a time limit does:
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use skillhall::hall::{Fault, Hall, Receipt};
    /// # use skillhall::skillhall_core::govern::call::Call;
    /// async fn at_most_a_second(hall: &Hall, call: Call) -> Option<Result<Receipt, Fault>> {
    ///     tokio::time::timeout(Duration::from_secs(1), hall.execute(call)).await.ok()
    /// }
    /// ```
    ///
    /// # Errors
    /// The host's own trouble. A denial is none: it stands in the receipt.
    pub async fn execute(&self, call: Call) -> Result<Receipt, Fault> {
        self.execute_for(self.caller()?, call).await
    }

    /// As [`execute`](Self::execute), for somebody else: a program that serves others says who its caller is, as the
    /// caller's credential proved it.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn execute_for(&self, caller: impl Into<Option<Caller>>, call: Call) -> Result<Receipt, Fault> {
        let caller = caller.into();
        self.run(Run { call, caller, kill: KillHandle::new(), observer: &mut Silent }).await
    }

    /// As [`execute`](Self::execute), with a handle that stops the run, and an observer.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub async fn run(&self, run: Run<'_>) -> Result<Receipt, Fault> {
        self.line(run, self.maximum.clone()).await
    }

    /// The straight line itself. What runs is given at most `maximum`: the host's own, or what is left of the run that calls.
    pub(super) async fn line(&self, run: Run<'_>, maximum: Limits) -> Result<Receipt, Fault> {
        let Run { call, caller, kill, observer } = run;
        let mut gates = Gates::new(observer);
        // Given up after everything else, so that whoever waits for the end of all calls finds their records closed.
        let turn = self.running.enter(&kill);
        let decision_id = random::uuid()?;
        let now = match self.now() {
            Ok(now) => now,
            Err(denial) => {
                let denial = denial.detail("unrecorded", "a record has a time");
                return Ok(receipt::denied(receipt::Refused { denial, record: None, at: None }, decision_id, call, gates.times));
            }
        };
        let asked = Asked { call, caller, moment: Moment { decision_id, now } };
        let began = Instant::now();
        let admission = match turn.as_ref().map_err(|denial| denial.clone().into()).and_then(|_| self.admit(&asked, &mut gates)) {
            Ok(admission) => admission,
            Err(refusal) => return Ok(self.denied(asked, *refusal, gates.times)),
        };
        let limits = Limits::resolve(&admission.package().manifest().limits, &maximum);
        let calls_others = !admission.grants().tools().is_empty();
        let depends = Depends::of(&admission, &self.config.hall.organisation);
        let recorded = match self.recorded(admission, &limits) {
            Ok(recorded) => recorded,
            Err(denial) => return Ok(self.denied(asked, *Box::<Refusal>::from(denial), gates.times)),
        };
        gates.passed(Stage::Ledger);
        let Gates { observer, times, .. } = gates;
        let mut on_event = |event| observer.step(Step::Code(&event));
        let (counter, wanted) = Counter::new();
        let counter: Arc<dyn Calls> = Arc::new(counter);
        let calling = self.powers.as_ref().filter(|_| calls_others).and_then(|powers| powers.with_calls(&counter));
        drop(counter);
        let powers: &dyn Powers = calling.as_deref().or(self.powers.as_deref()).unwrap_or(&DenyAll);
        let reach = Reach { powers, reserved: &self.reserved, assets: &self.assets, replay: self.fixed.as_ref() };
        let run = execute(&self.engines, reach, recorded, &maximum, &kill, &mut on_event);
        let serving = async {
            if let Some(caller) = &asked.caller {
                let decision_id = &asked.moment.decision_id;
                self.serve(&Parent { call: &asked.call, caller, decision_id, kill: &kill, limits }, wanted).await;
            }
        };
        let executed = self.watched(run, serving, &asked, &depends, &kill).await;
        // A clock that has stopped knowing the time does not keep the end from being recorded.
        let passed = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let at = self.now().unwrap_or_else(|_| asked.moment.now.plus_millis(passed));
        let receipt = close(executed, times, at, self.is_local());
        drop(turn);
        receipt
    }

    /// Goes through gates 1 to 10 and runs nothing. What would be denied is denied and recorded, marked as a dry run.
    ///
    /// # Errors
    /// [`Refused::Denied`] with the code of the first gate that refused, [`Refused::Fault`] if the host failed.
    pub fn dry_run(&self, call: Call, caller: Option<Caller>, observer: &mut dyn Observer) -> Result<Vec<GateTime>, Refused> {
        let mut gates = Gates::new(observer);
        let turn = self.running.enter(&KillHandle::new());
        let moment = Moment { decision_id: random::uuid().map_err(Fault::from)?, now: self.now()? };
        let asked = Asked { call, caller, moment };
        match turn.as_ref().map_err(|denial| denial.clone().into()).and_then(|_| self.admit(&asked, &mut gates)) {
            Ok(admission) => {
                let event = self.about(EventKind::SkillVerify, admission.package(), asked.moment.now);
                let event = event.with("dry_run", true).with("correlation_id", asked.call.correlation_id.as_str());
                self.note(event)?;
                Ok(gates.times)
            }
            Err(refusal) => {
                let (denial, record) = self.record_refusal(&asked, *refusal, true);
                Err(Refused::Denied { denial, record })
            }
        }
    }

    /// Gates 1 to 10.
    fn admit(&self, asked: &Asked, gates: &mut Gates<'_>) -> Result<Admission, Box<Refusal>> {
        let Asked { call, caller, moment } = asked;
        let standing = consult(self.registry()?, self.query(call, caller.as_ref()))?;
        gates.passed(Stage::Registry);
        let package = self.verified(&standing, moment.now, &mut |gate| gates.passed(gate))?;
        let passed = &mut |gate| gates.passed(gate);
        decide(&standing, package, call.clone(), caller.as_ref(), self.policy(), moment.clone(), passed).map_err(|mut refusal| {
            if self.powers.is_none() && refusal.denial.code == Code::CapabilityNotGranted {
                let advice = "The program opened this hall without powers (`Config::powers`), so hall.toml grants nothing here.";
                refusal.denial.advice = Some(advice.to_owned());
            }
            refusal
        })
    }

    /// Gate 11, with the share of the caller's quotas taken right before it.
    fn recorded(&self, admission: Admission, limits: &Limits) -> Result<RecordedCall, Denial> {
        let (ledger, registry) = (self.ledger()?, self.registry()?);
        let claim = || Claim {
            time_us: limits.time_ms.saturating_mul(1000),
            bytes: limits.input_bytes.saturating_add(limits.output_bytes).saturating_add(limits.host_call_bytes),
        };
        let reserved = reserve(&self.quotas, &self.config, &admission, claim)?;
        record(ledger, registry, &self.host, admission, reserved)
    }

    pub(super) fn query(&self, call: &Call, caller: Option<&Caller>) -> StandingQuery {
        StandingQuery {
            skill: call.skill.clone(),
            organisation: caller.map_or(&self.config.hall.organisation, |caller| &caller.organisation).clone(),
            host: self.host.host.clone(),
            adapter: caller.map_or(&self.adapter, |caller| &caller.adapter).clone(),
            approval: call.approval.clone(),
            token: self.token_of(caller),
        }
    }

    /// The id of the token by which somebody calls, or that was presented for nobody.
    fn token_of(&self, caller: Option<&Caller>) -> Option<String> {
        let presented = match caller {
            Some(Caller { authority: Authority::Token(presented), .. }) => Some(presented),
            Some(_) => None,
            None => self.presented.as_ref(),
        };
        presented.map(|presented| presented.id().to_owned())
    }

    /// Runs to the end, and meanwhile serves it and reads the registry's version every [`WATCH`], and as soon as this hall changes
    /// it: what the call depends on that is taken back stops it, and so does a registry that is lost for [`LOST`].
    async fn watched(
        &self,
        run: impl Future<Output = Executed>,
        serving: impl Future<Output = ()>,
        asked: &Asked,
        depends: &Depends,
        kill: &KillHandle,
    ) -> Executed {
        // Of these the run goes last: what it called is over before its own record is closed.
        let mut run = std::pin::pin!(run);
        let (mut serving, mut served) = (std::pin::pin!(serving), false);
        let mut ticks = tokio::time::interval(WATCH);
        let (mut seen, mut answered) = (None, Instant::now());
        let mut changed = self.running.changes();
        loop {
            tokio::select! {
                biased;
                executed = &mut run => return executed,
                () = &mut serving, if !served => {
                    served = true;
                    continue;
                }
                // The sender lives as long as the hall.
                _ = changed.changed() => {}
                _ = ticks.tick() => {}
            }
            match self.registry.version() {
                Ok(version) if seen == Some(version) => answered = Instant::now(),
                Ok(version) => match self.still_stands(asked, depends) {
                    Ok(()) => (seen, answered) = (Some(version), Instant::now()),
                    Err(denial) if denial.code == Code::RegistryUnreachable => {}
                    Err(denial) => kill.kill(KillReason::Killed(denial.to_string())),
                },
                Err(_) => {}
            }
            if answered.elapsed() > LOST {
                kill.kill(KillReason::Killed(format!("the registry was lost for more than {} s", LOST.as_secs())));
            }
        }
    }

    /// Whether nothing that the call depends on was taken back since it was admitted.
    fn still_stands(&self, asked: &Asked, depends: &Depends) -> Result<(), Denial> {
        depends.still(&consult(&self.registry, self.query(&asked.call, asked.caller.as_ref()))?)
    }

    /// Gates 2 to 4, on the installed package.
    pub(super) fn verified(
        &self,
        standing: &Standing,
        now: Timestamp,
        passed: &mut dyn FnMut(Stage),
    ) -> Result<VerifiedPackage, Denial> {
        let package = Arc::new(self.package(standing.published())?);
        self.verify_package(package, standing, now, passed)
    }

    /// Gates 2 to 4, on a package that is held.
    pub(super) fn verify_package(
        &self,
        package: Arc<skillhall_core::package::Package>,
        standing: &Standing,
        now: Timestamp,
        passed: &mut dyn FnMut(Stage),
    ) -> Result<VerifiedPackage, Denial> {
        let published = standing.published();
        let certifications: Vec<CertificationInput<'_>> = standing
            .statements()
            .iter()
            .filter(|statement| statement.kind == StatementKind::Certification)
            .map(|statement| CertificationInput {
                id: &statement.id,
                body: &statement.body,
                signer: &statement.signer,
                revoked: standing.certification_revoked(&statement.id),
            })
            .collect();
        let expected = Expected {
            manifest_hash: published.manifest_hash,
            component_hash: published.component_hash,
            package_hash: published.package_hash,
            adapters: &published.adapters,
            certifications: &certifications,
        };
        // Gate 4 is passed when the certification is somebody else's, too, where it has to be.
        let mut but_the_last = |gate| {
            if gate != Stage::Certification {
                passed(gate);
            }
        };
        let verified = verify(package, &expected, &*self.source, now, self.is_local(), &mut but_the_last)?;
        separate(standing, &verified, &self.config)?;
        passed(Stage::Certification);
        Ok(verified)
    }

    /// The receipt of a call that is refused, with the refusal recorded.
    fn denied(&self, asked: Asked, mut refusal: Refusal, gates: Vec<GateTime>) -> Receipt {
        self.ask_a_person(&mut refusal, &asked);
        let (denial, record) = self.record_refusal(&asked, refusal, false);
        let Asked { call, moment, .. } = asked;
        receipt::denied(receipt::Refused { denial, record, at: Some(moment.now) }, moment.decision_id, call, gates)
    }

    /// Records a refusal. A call stays denied even if that fails, and then the ledger's trouble is told beside it.
    fn record_refusal(&self, asked: &Asked, refusal: Refusal, dry_run: bool) -> (Denial, Option<u64>) {
        let Asked { call, caller, moment } = asked;
        let recorded = match &self.ledger {
            Ok(ledger) => record_refusal(ledger, &self.host, call, caller.as_ref(), &refusal, moment, dry_run)
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let denial = refusal
            .denial
            .detail("decision_id", moment.decision_id.as_str())
            .detail("correlation_id", call.correlation_id.as_str());
        match recorded {
            Ok(sequence) => (denial, Some(sequence)),
            Err(error) => (denial.detail("unrecorded", error), None),
        }
    }

    /// The digest of configuration and rules that are in force.
    #[must_use]
    pub fn policy_digest(&self) -> Digest {
        self.policy_digest
    }
}

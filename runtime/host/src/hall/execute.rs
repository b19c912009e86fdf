//! The straight line of one call: ask the registry, verify, decide, record, run, close.

use std::sync::Arc;
use std::time::{Duration, Instant};

use skillhall_core::clock::Timestamp;
use skillhall_core::denial::{Code, Denial, Stage};
use skillhall_core::digest::Digest;
use skillhall_core::govern::call::{Call, Caller};
use skillhall_core::govern::decide::{Admission, Moment, Refusal, decide};
use skillhall_core::id::KeyId;
use skillhall_core::ledger::EventKind;
use skillhall_core::ledger::record::{record, record_refusal};
use skillhall_core::random;
use skillhall_core::registry::standing::{Standing, consult, marks_verdict};
use skillhall_core::registry::{Registry as _, StandingQuery, StatementKind};
use skillhall_core::trust::{CertificationInput, Expected, VerifiedPackage, verify};

use crate::engine::execute::{Executed, execute};
use crate::engine::{KillHandle, KillReason, PrepareEvent};

use super::receipt::{GateTime, Receipt, close};
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

/// A call that did not run.
#[derive(Debug)]
pub enum Refused {
    /// It was denied.
    Denied {
        /// Why.
        denial: Denial,
        /// The ledger's sequence of the denial, if it could be recorded.
        record: Option<u64>,
    },
    /// The host itself failed.
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
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
struct Asked {
    call: Call,
    caller: Option<Caller>,
    moment: Moment,
}

/// How often the registry is asked while a guest runs.
const WATCH: Duration = Duration::from_millis(250);
/// For how long the registry may be lost while a guest runs.
const LOST: Duration = Duration::from_secs(10);

impl Hall {
    /// Runs a call, if every gate lets it pass. The receipt says how the run ended, well or badly.
    ///
    /// Dropping the future stops the guest; its record stays open, and the audit shows the run as interrupted.
    ///
    /// # Errors
    /// [`Refused::Denied`] with the code of the first gate that refused, [`Refused::Fault`] if the host failed.
    pub async fn execute(
        &self,
        call: Call,
        caller: Option<Caller>,
        kill: &KillHandle,
        observer: &mut dyn Observer,
    ) -> Result<Receipt, Refused> {
        let mut gates = Gates::new(observer);
        let moment = self.moment()?;
        let asked = Asked { call: call.clone(), caller, moment: moment.clone() };
        let admission = match self.admit(call, asked.caller.as_ref(), moment, &mut gates) {
            Ok(admission) => admission,
            Err(refusal) => return Err(self.refuse(&asked, *refusal, false)),
        };
        let keys: Vec<KeyId> = admission.verified().keys_used().into_iter().cloned().collect();
        let recorded = match self.ledger().and_then(|ledger| record(ledger, &self.host, admission)) {
            Ok(recorded) => recorded,
            Err(denial) => return Err(self.refuse(&asked, *Box::<Refusal>::from(denial), false)),
        };
        gates.passed(Stage::Ledger);
        let Gates { observer, times, .. } = gates;
        let mut on_event = |event| observer.step(Step::Code(&event));
        let run = execute(&self.engines, recorded, &self.maximum, kill, &mut on_event);
        let executed = self.watched(run, &asked, &keys, kill).await;
        let ledger = self.ledger.as_ref().map_err(|error| Fault::Ledger(error.clone()))?;
        Ok(close(executed, ledger, times, self.clock.now(), self.is_local())?)
    }

    /// Goes through gates 1 to 10 and runs nothing. What would be denied is denied and recorded, marked as a dry run.
    ///
    /// # Errors
    /// As [`execute`](Self::execute).
    pub fn dry_run(&self, call: Call, caller: Option<Caller>, observer: &mut dyn Observer) -> Result<Vec<GateTime>, Refused> {
        let mut gates = Gates::new(observer);
        let moment = self.moment()?;
        let asked = Asked { call: call.clone(), caller, moment: moment.clone() };
        match self.admit(call, asked.caller.as_ref(), moment, &mut gates) {
            Ok(admission) => {
                let event = self.about(EventKind::SkillVerify, admission.package(), asked.moment.now);
                let event = event.with("dry_run", true).with("correlation_id", asked.call.correlation_id.as_str());
                self.note(event)?;
                Ok(gates.times)
            }
            Err(refusal) => Err(self.refuse(&asked, *refusal, true)),
        }
    }

    fn moment(&self) -> Result<Moment, Fault> {
        Ok(Moment { decision_id: random::uuid()?, now: self.clock.now() })
    }

    /// Gates 1 to 10.
    fn admit(
        &self,
        call: Call,
        caller: Option<&Caller>,
        moment: Moment,
        gates: &mut Gates<'_>,
    ) -> Result<Admission, Box<Refusal>> {
        let standing = consult(self.registry()?, self.query(&call, caller))?;
        gates.passed(Stage::Registry);
        let package = self.verified(&standing, moment.now, &mut |gate| gates.passed(gate))?;
        decide(&standing, package, call, caller, self.policy(), moment, &mut |gate| gates.passed(gate))
    }

    fn query(&self, call: &Call, caller: Option<&Caller>) -> StandingQuery {
        StandingQuery {
            skill: call.skill.clone(),
            organisation: caller.map_or(&self.config.hall.organisation, |caller| &caller.organisation).clone(),
            host: self.host.host.clone(),
            adapter: caller.map_or(&self.adapter, |caller| &caller.adapter).clone(),
        }
    }

    /// Runs to the end, and meanwhile reads the registry's version every [`WATCH`]: whatever would refuse the call now
    /// stops it, and so does a registry that is lost for [`LOST`].
    async fn watched(&self, run: impl Future<Output = Executed>, asked: &Asked, keys: &[KeyId], kill: &KillHandle) -> Executed {
        let mut run = std::pin::pin!(run);
        let mut ticks = tokio::time::interval(WATCH);
        let (mut seen, mut answered) = (None, Instant::now());
        loop {
            tokio::select! {
                biased;
                executed = &mut run => return executed,
                _ = ticks.tick() => {}
            }
            match self.registry.version() {
                Ok(version) if seen == Some(version) => answered = Instant::now(),
                Ok(version) => match self.still_stands(asked, keys) {
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

    /// Whether nothing has been banned, revoked or degraded since the call was admitted.
    fn still_stands(&self, asked: &Asked, keys: &[KeyId]) -> Result<(), Denial> {
        let standing = consult(&self.registry, self.query(&asked.call, asked.caller.as_ref()))?;
        marks_verdict(&standing, &keys.iter().collect::<Vec<_>>())
    }

    /// Gates 2 to 4, on the installed package.
    fn verified(&self, standing: &Standing, now: Timestamp, passed: &mut dyn FnMut(Stage)) -> Result<VerifiedPackage, Denial> {
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
        verify(package, &expected, &self.keys, now, self.is_local(), passed)
    }

    /// Records a refusal. A call stays denied even if that fails, and then the ledger's trouble is told beside it.
    fn refuse(&self, asked: &Asked, refusal: Refusal, dry_run: bool) -> Refused {
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
            Ok(sequence) => Refused::Denied { denial, record: Some(sequence) },
            Err(error) => Refused::Denied { denial: denial.detail("unrecorded", error), record: None },
        }
    }

    /// The digest of configuration and rules that are in force.
    #[must_use]
    pub fn policy_digest(&self) -> Digest {
        self.policy_digest
    }
}

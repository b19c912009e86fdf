//! One run in a worker, from the parent's side: the order goes there, what its guest wants outside is answered here, and in the
//! end there is an outcome, whatever the worker does.

use std::time::{Duration, Instant};

use skillhall_core::failure::{Failure, FailureCode};
use tokio::time::sleep_until;

use super::child::{Child, Heard};
use super::judge::judge;
use super::outside::Outside;
use super::wire::{Errand, Report, Said, Say, longest_end};
use crate::engine::{KillHandle, KillReason, Order, Outcome, Resources, Tally, Used, json_bytes, never_began, stopped};
use crate::sandbox::Stop;

/// By how much a worker may be over the time of its run, which it keeps itself, before it is killed.
const GRACE: Duration = Duration::from_millis(500);
/// How long it may take to end a run that was stopped, before it is killed.
const OBEYS: Duration = Duration::from_millis(200);

/// How a run in a worker ended.
pub(super) struct Attended {
    pub(super) outcome: Outcome,
    /// Whether the worker can be believed to be as it was before.
    pub(super) is_sound: bool,
}

/// Has the worker run the order. `number` is one that it has not had before. Dropped, this leaves in `tally` what is known;
/// the worker is then to be ended.
pub(super) async fn attend(child: &mut Child, number: u64, order: &Order, kill: &KillHandle, tally: &Tally) -> Attended {
    let start = Instant::now();
    let input_bytes = json_bytes(&order.input);
    let mut run = Run { outside: Outside::new(order, child.sayer(), number), order, start, input_bytes, tally };
    child.may_say(longest_end(&order.limits));
    let end = match begin(child, number, order) {
        Ok(()) => run.until_it_ends(child, number, kill).await,
        Err(error) => Err(lost(&format!("cannot be told what to run: {error}"))),
    };
    match end {
        Ok(report) => run.believed(report, kill),
        Err(failure) => run.without_report(failure),
    }
}

fn begin(child: &Child, number: u64, order: &Order) -> std::io::Result<()> {
    let errand = Errand {
        export: order.export.clone(),
        input: serde_json::to_string(&order.input)?,
        limits: order.limits.clone(),
        links: order.links,
        given: order.given.clone(),
        replay: order.replay.clone(),
    };
    child.say(&Say::Run { run: number, errand: serde_json::to_string(&errand)? })
}

/// The worker is no good.
pub(super) fn lost(why: &str) -> Failure {
    Failure::new(FailureCode::Worker, format!("the process that ran the skill {why}"))
}

struct Run<'a> {
    outside: Outside<'a>,
    order: &'a Order,
    start: Instant,
    input_bytes: u64,
    tally: &'a Tally,
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        self.tally.set(self.outside.account.told(self.resources()));
    }
}

impl Run<'_> {
    /// Answers until the worker tells the end, or its time is over, or it is stopped, gone or caught lying.
    async fn until_it_ends(&mut self, child: &mut Child, number: u64, kill: &KillHandle) -> Result<Report, Failure> {
        let time = Duration::from_millis(self.order.limits.time_ms).saturating_add(GRACE);
        let far = self.start + Duration::from_secs(365 * 86_400);
        let mut deadline = self.start.checked_add(time).map_or(far, |deadline| deadline.min(far));
        let mut stop: Option<KillReason> = None;
        loop {
            let heard = tokio::select! {
                // What ends the run comes first, so that no worker talks or works it away.
                biased;
                reason = kill.killed(), if stop.is_none() => {
                    deadline = deadline.min(Instant::now() + OBEYS);
                    // One that is gone already is heard next.
                    let _ = child.say(&Say::Kill(reason.clone()));
                    stop = Some(reason);
                    continue;
                }
                () = sleep_until(deadline.into()) => {
                    return Err(match stop {
                        Some(reason) => stopped(&reason.stop()),
                        None => stopped(&Stop::Time { allowed_ms: self.order.limits.time_ms }),
                    });
                }
                () = self.outside.works() => continue,
                heard = child.hear() => heard,
            };
            match heard {
                Heard::Said(Said::Ended { run, report }) if run == number => {
                    return serde_json::from_str(&report).map_err(|_| lost("told an end that is none"));
                }
                Heard::Said(said) => self.outside.hear(said).await.map_err(lost)?,
                Heard::Gone(how) => {
                    return Err(match stop.or_else(|| kill.reason()) {
                        Some(reason) => stopped(&reason.stop()),
                        None if super::process::interrupted() => {
                            stopped(&Stop::Cancelled { reason: "this program is being ended".to_owned() })
                        }
                        None => lost(&how),
                    });
                }
            }
        }
    }

    fn resources(&self) -> Resources {
        let mut resources = Resources::none(&self.order.limits);
        self.own(&mut resources);
        self.outside.account.used(&mut resources);
        resources
    }

    /// The figures that this side alone measures.
    fn own(&self, resources: &mut Resources) {
        let Resources { wall_us, input_bytes, .. } = Resources::none(&self.order.limits);
        let used = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        resources.wall_us = Used { used, ..wall_us };
        resources.input_bytes = Used { used: self.input_bytes, ..input_bytes };
    }

    fn believed(mut self, report: Report, kill: &KillHandle) -> Attended {
        let told = report.resources;
        match judge(report, &self.order.limits, self.order.links, kill) {
            Ok(mut outcome) => {
                self.outside.account.one_too_many(&outcome.http, &told);
                self.own(&mut outcome.resources);
                self.outside.account.tell(&mut outcome);
                let is_sound = outcome.end.as_ref().map_or_else(|failure| failure.code == FailureCode::Skill, |_| true);
                Attended { outcome, is_sound: is_sound && self.outside.is_quiet() }
            }
            Err(why) => self.without_report(lost(why)),
        }
    }

    fn without_report(self, failure: Failure) -> Attended {
        let mut outcome = never_began(&self.order.limits, failure);
        self.own(&mut outcome.resources);
        self.outside.account.tell(&mut outcome);
        Attended { outcome, is_sound: false }
    }
}

//! Running an order in another process than this one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use skillhall_core::failure::{Failure, FailureCode};
use skillhall_core::govern::isolation::Locks;

use super::run::never_began;
use super::{Engines, KillHandle, Order, Outcome, Tally};

/// For whom an order is run apart, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Apart {
    /// Organisation and skill. What runs for one never ran for another.
    pub(crate) owner: String,
    /// Whether it must be behind Landlock.
    pub(crate) landlock: bool,
    /// The decision by which it runs.
    pub(crate) decision: String,
    /// The decisions by which those run that it came about by, if skills called.
    pub(crate) above: Vec<String>,
}

impl Apart {
    /// For a run of which nothing else is known.
    pub(crate) fn of(owner: &str, landlock: bool) -> Self {
        Self { owner: owner.to_owned(), landlock, decision: String::new(), above: Vec::new() }
    }
}

/// How a run apart ended, and behind which locks; none if it never began.
pub(crate) type Ended = (Outcome, Option<Locks>);

/// Who runs orders in other processes. As [`run`](super::run) does: the guest runs at most once, dropping the future ends it, and
/// the tally then tells what it had used, as far as it is known here.
pub(crate) trait Elsewhere: fmt::Debug + Send + Sync {
    /// Runs the order to its end.
    fn run<'a>(
        &'a self,
        order: Order,
        apart: Apart,
        kill: &'a KillHandle,
        tally: &'a Tally,
    ) -> Pin<Box<dyn Future<Output = Ended> + Send + 'a>>;
}

/// Runs an order apart, or not at all.
pub(super) async fn elsewhere(engines: &Engines, order: Order, apart: Apart, kill: &KillHandle, tally: &Tally) -> Ended {
    let Some(elsewhere) = engines.elsewhere() else {
        let failure = Failure::new(FailureCode::Worker, "this host has no processes that run skills");
        return (never_began(&order.limits, failure), None);
    };
    elsewhere.run(order, apart, kill, tally).await
}

//! What a guest in a worker reaches outside: each ask is answered by the very broker of its call, here, where policy, secrets and
//! budgets are. Nothing is believed of what the worker says: an ask that has no place ends it.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use skillhall_core::stores::Usage;

use super::child::Sayer;
use super::wire::{ASKS, Answer, Ask, Said, Say};
use crate::engine::{Order, Resources, Used};
use crate::sandbox::traffic::KEPT;
use crate::sandbox::{Link, Refusal, Requested, Traffic, Unkept, brought, sent};

#[cfg(feature = "http")]
use super::sending::Requests;

/// The most bytes of answers that a worker lets lie. One that works listens all the time.
const UNHEARD: usize = 16 << 20;

/// What came of a piece of work for the worker.
pub(super) enum Done {
    /// An operation on this store was done, or not.
    Kept(String, Result<skillhall_core::stores::Performed, Unkept>),
    /// The head of a response, or why there is none.
    #[cfg(feature = "http")]
    Sent(Result<crate::sandbox::egress::Exchange, crate::sandbox::egress::Unsent>),
    /// A piece of a response's body, and the body.
    #[cfg(feature = "http")]
    Piece(u32, super::web::Piece, super::sending::Rest),
    /// The connection of a response ended.
    #[cfg(feature = "http")]
    Closed,
}

/// Something that is under way for an ask.
pub(super) type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// The outside of one run.
pub(super) struct Outside<'a> {
    order: &'a Order,
    run: u64,
    sayer: Sayer,
    traffic: Arc<Traffic>,
    works: Works,
    /// The last number of an ask.
    last: u32,
    /// How often it has asked.
    asked: u64,
    /// Bytes that operations on stores moved.
    moved: u64,
    usage: BTreeMap<String, Usage>,
    refusals: Vec<Refusal>,
    #[cfg(feature = "http")]
    requests: Requests,
}

impl<'a> Outside<'a> {
    pub(super) fn new(order: &'a Order, sayer: Sayer, run: u64) -> Self {
        let traffic = Arc::new(Traffic::new(order.limits.bounds().http));
        Self {
            order,
            run,
            #[cfg(feature = "http")]
            requests: Requests::new(sayer.clone()),
            sayer,
            traffic,
            works: Works::default(),
            last: 0,
            asked: 0,
            moved: 0,
            usage: BTreeMap::new(),
            refusals: Vec::new(),
        }
    }

    /// Takes what the worker said, but for the end.
    ///
    /// # Errors
    /// What it may not say now.
    pub(super) fn hear(&mut self, said: Said) -> Result<(), &'static str> {
        match said {
            Said::Ask { run, id, ask } if run == self.run && id > self.last => {
                self.last = id;
                self.asks(id, ask)
            }
            Said::GaveUp { run, id } if run == self.run && id <= self.last => {
                self.works.forget(id);
                #[cfg(feature = "http")]
                self.requests.forget(id);
                Ok(())
            }
            #[cfg(feature = "http")]
            Said::Piece { run, id, piece } if run == self.run => self.requests.take(id, piece),
            // Of a run before this, whose end was told before.
            Said::GaveUp { run, .. } if run < self.run => Ok(()),
            _ => Err("said what has no place there"),
        }
    }

    fn asks(&mut self, id: u32, ask: Ask) -> Result<(), &'static str> {
        if self.works.asks() >= ASKS {
            return Err("asked too much at once");
        }
        if self.sayer.unheard() > UNHEARD {
            return Err("asks and does not listen");
        }
        #[cfg(feature = "http")]
        let counts = !matches!(ask, Ask::More { .. });
        #[cfg(not(feature = "http"))]
        let counts = true;
        self.asked = self.asked.saturating_add(u64::from(counts));
        if self.asked > self.order.limits.host_calls {
            return Err("asked more often than it may");
        }
        match ask {
            Ask::Keep { store, operation } => {
                if self.order.links.keyvalue != Link::Granted {
                    return Err("asked for a store without having any");
                }
                self.moved = self.moved.saturating_add(sent(&operation));
                if self.moved > self.order.limits.host_call_bytes {
                    return Err("moved more bytes than it may");
                }
                let keeping = self.order.broker.keep(&store, operation);
                self.works.add(id, Box::pin(async move { Done::Kept(store, keeping.await) }));
            }
            Ask::Reveal { name } => {
                if self.order.links.secrets != Link::Granted {
                    return Err("asked for a secret without being shown any");
                }
                let value = self.order.broker.reveal(&name).map(|value| value.expose().to_owned());
                self.answer(id, Answer::Revealed(value));
            }
            #[cfg(feature = "http")]
            Ask::Send(asked) => {
                if self.order.links.http != Link::Granted {
                    return Err("asked for a request without being granted any");
                }
                match self.requests.send(id, asked, &*self.order.broker, &self.traffic) {
                    Ok(work) => self.works.add(id, work),
                    Err(wrong) => self.answer(id, Answer::Sent(Err(wrong))),
                }
            }
            #[cfg(feature = "http")]
            Ask::More { of } => {
                let work = self.requests.more(of)?;
                self.works.add(id, work);
            }
        }
        Ok(())
    }

    fn answer(&self, id: u32, answer: Answer) {
        self.sayer.say(&Say::Answer { id, bytes: self.traffic.bytes(), answer });
    }

    /// Goes on with what is under way, until a piece of it is done.
    pub(super) async fn works(&mut self) {
        let (id, done) = self.works.next().await;
        match done {
            Done::Kept(store, Ok(performed)) => {
                self.moved = self.moved.saturating_add(brought(&performed.answer));
                self.usage.insert(store, performed.usage);
                self.answer(id, Answer::Kept(Ok(performed)));
            }
            Done::Kept(_, Err(Unkept { told, refusal })) => {
                if let Some(refusal) = refusal.filter(|_| self.refusals.len() < KEPT) {
                    self.refusals.push(*refusal);
                }
                self.answer(id, Answer::Kept(Err(told.into())));
            }
            #[cfg(feature = "http")]
            Done::Sent(Ok(exchange)) => {
                let (head, connection) = self.requests.open(id, exchange);
                self.works.add_background(id, connection);
                self.answer(id, Answer::Sent(Ok(head)));
            }
            #[cfg(feature = "http")]
            Done::Sent(Err(unsent)) => {
                let wrong = self.requests.unsent(id, unsent, &self.traffic);
                self.answer(id, Answer::Sent(Err(wrong)));
            }
            #[cfg(feature = "http")]
            Done::Piece(of, piece, rest) => {
                self.requests.keep(of, rest);
                self.answer(id, Answer::Piece(piece));
            }
            #[cfg(feature = "http")]
            Done::Closed => {}
        }
    }

    /// To which origins requests were to go.
    pub(super) fn origins(&self) -> Vec<Requested> {
        self.traffic.origins()
    }

    /// Counts the request that the worker held back because it was one too many: it says so itself, and cannot say more.
    pub(super) fn one_too_many(&self, told: &[Requested]) {
        if self.traffic.requests() != self.order.limits.http_requests || self.order.links.http != Link::Granted {
            return;
        }
        let known = self.traffic.origins();
        let of = |origin: &str| known.iter().find(|known| known.origin == origin).map_or(0, |known| known.requests);
        if let Some(more) = told.iter().find(|told| told.requests > of(&told.origin)) {
            // It is over the budget, which is what it says.
            let _ = self.traffic.request(&more.origin);
        }
    }

    /// What was refused, the network's refusals first.
    pub(super) fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = self.traffic.refusals();
        refusals.extend(self.refusals.iter().cloned());
        refusals.truncate(KEPT);
        refusals
    }

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.works.asks() == 0
    }

    /// The figures that are known here.
    pub(super) fn used(&self, resources: &mut Resources) {
        let limits = &self.order.limits;
        if self.order.links.http == Link::Granted {
            resources.http_requests = Some(Used { used: self.traffic.requests(), allowed: limits.http_requests });
            resources.http_bytes = Some(Used { used: self.traffic.bytes(), allowed: limits.http_bytes });
        }
        let quotas = &self.order.given.keyvalue;
        let used = self.usage.iter().filter_map(|(store, usage)| Some((usage, quotas.iter().find(|one| one.store == *store)?)));
        for (usage, quota) in used {
            let add = |sum: Option<Used>, used: u64, allowed: u64| {
                let sum = sum.unwrap_or_default();
                Some(Used { used: sum.used.saturating_add(used), allowed: sum.allowed.saturating_add(allowed) })
            };
            resources.keyvalue_bytes = add(resources.keyvalue_bytes, usage.bytes, quota.bytes);
            resources.keyvalue_entries = add(resources.keyvalue_entries, usage.entries, quota.entries);
        }
    }
}

/// What is under way. There is little of it, so all of it is asked each time.
#[derive(Default)]
struct Works(VecDeque<(u32, bool, Work)>);

impl Works {
    fn add(&mut self, id: u32, work: Work) {
        self.0.push_back((id, true, work));
    }

    /// As [`add`](Self::add), for what is no answer.
    #[cfg(feature = "http")]
    fn add_background(&mut self, id: u32, work: Work) {
        self.0.push_back((id, false, work));
    }

    /// How many wait for an answer.
    fn asks(&self) -> usize {
        self.0.iter().filter(|(_, is_ask, _)| *is_ask).count()
    }

    fn forget(&mut self, id: u32) {
        self.0.retain(|(of, ..)| *of != id);
    }

    async fn next(&mut self) -> (u32, Done) {
        poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<(u32, Done)> {
        let ready = self.0.iter_mut().enumerate().find_map(|(at, (id, _, work))| match work.as_mut().poll(context) {
            Poll::Ready(done) => Some((at, *id, done)),
            Poll::Pending => None,
        });
        match ready {
            Some((at, id, done)) => {
                self.0.remove(at);
                Poll::Ready((id, done))
            }
            None => Poll::Pending,
        }
    }
}

//! What a guest in a worker reaches outside: each ask is answered by the very broker of its call, here, where policy, secrets and
//! budgets are. Nothing is believed of what the worker says: an ask that has no place ends it.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::account::Account;
use super::child::Sayer;
use super::wire::{ASKS, Answer, Ask, Said, Say};
use crate::engine::Order;
use crate::sandbox::far::{Thing, served::Served};
use crate::sandbox::{Link, Unkept, brought, sent, tools};

#[cfg(feature = "http")]
use super::sending::Requests;

/// The most bytes of answers that a worker lets lie. One that works listens all the time.
const UNHEARD: usize = 16 << 20;

/// What came of a piece of work for the worker.
pub(super) enum Done {
    /// An operation on this store was done, or not.
    Kept(String, Result<skillhall_core::stores::Performed, Unkept>),
    /// There is something to be done with a thing.
    Ready,
    /// A called skill ended, or did not begin.
    Called(Box<tools::Answer>),
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
    pub(super) account: Account<'a>,
    works: Works,
    sockets: Option<Served>,
    /// Asks that wait until there is something to be done with a thing.
    waiting: Vec<(u32, Thing)>,
    /// The last number of an ask.
    last: u32,
    #[cfg(feature = "http")]
    requests: Requests,
}

impl<'a> Outside<'a> {
    pub(super) fn new(order: &'a Order, sayer: Sayer, run: u64) -> Self {
        Self {
            order,
            run,
            #[cfg(feature = "http")]
            requests: Requests::new(sayer.clone()),
            sayer,
            account: Account::new(order),
            works: Works::default(),
            sockets: sockets(order),
            waiting: Vec::new(),
            last: 0,
        }
    }

    /// Takes what the worker said, but for the end.
    ///
    /// # Errors
    /// What it may not say now.
    pub(super) async fn hear(&mut self, said: Said) -> Result<(), &'static str> {
        match said {
            Said::Ask { run, id, ask } if run == self.run && id > self.last => {
                self.last = id;
                self.asks(id, ask).await
            }
            Said::GaveUp { run, id } if run == self.run && id <= self.last => {
                self.works.forget(id);
                self.waiting.retain(|(of, _)| *of != id);
                #[cfg(feature = "http")]
                self.requests.forget(id);
                Ok(())
            }
            #[cfg(feature = "http")]
            Said::Piece { run, id, piece } if run == self.run => self.requests.take(id, piece),
            Said::LetGo { run, thing } if run == self.run => {
                let Some(sockets) = &mut self.sockets else { return Err("let a socket go without having any") };
                sockets.let_go(thing);
                Ok(())
            }
            // Of a run before this, whose end was told before.
            Said::GaveUp { run, .. } | Said::LetGo { run, .. } if run < self.run => Ok(()),
            _ => Err("said what has no place there"),
        }
    }

    async fn asks(&mut self, id: u32, ask: Ask) -> Result<(), &'static str> {
        // What is answered at once waits for nothing.
        let waits = !matches!(ask, Ask::Reveal { .. } | Ask::Wish(_));
        if waits && self.works.asks().saturating_add(self.waiting.len()) >= ASKS {
            return Err("asked too much at once");
        }
        if self.sayer.unheard() > UNHEARD {
            return Err("asks and does not listen");
        }
        match &ask {
            #[cfg(feature = "http")]
            Ask::More { .. } => {}
            ask if ask.is_part() => self.account.asked_part()?,
            _ => self.account.asked()?,
        }
        match ask {
            Ask::Keep { store, operation } => {
                if self.order.links.keyvalue != Link::Granted {
                    return Err("asked for a store without having any");
                }
                self.account.sent(sent(&operation))?;
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
            Ask::Call(request) => {
                if self.order.links.tools != Link::Granted {
                    return Err("asked for a call of a skill without being granted any");
                }
                let calling = self.order.broker.call(self.account.calls(request)?);
                self.works.add(id, Box::pin(async move { Done::Called(Box::new(calling.await)) }));
            }
            Ask::Wish(wish) => {
                let Some(sockets) = &mut self.sockets else { return Err("asked for a socket without having any") };
                let got = sockets.serve(self.account.meter(), wish).await;
                self.answer(id, Answer::Got(got));
            }
            Ask::Ready(_) if self.sockets.is_none() => return Err("asked for a socket without having any"),
            Ask::Ready(thing) => self.waiting.push((id, thing)),
            #[cfg(feature = "http")]
            Ask::Send(asked) => {
                if self.order.links.http != Link::Granted {
                    return Err("asked for a request without being granted any");
                }
                match self.requests.send(id, asked, &*self.order.broker, self.account.traffic()) {
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
        self.sayer.say(&Say::Answer { id, bytes: self.account.own_network_bytes(), answer });
    }

    /// Goes on with what is under way, until a piece of it is done.
    pub(super) async fn works(&mut self) {
        let (id, done) = poll_fn(|context| {
            if let Some(at) = self.ready(context) {
                let (id, _) = self.waiting.remove(at);
                return Poll::Ready((id, Done::Ready));
            }
            self.works.poll(context)
        })
        .await;
        match done {
            Done::Ready => self.answer(id, Answer::Ready),
            Done::Kept(store, Ok(performed)) => {
                self.account.kept(store, performed.usage, brought(&performed.answer));
                self.answer(id, Answer::Kept(Ok(performed)));
            }
            Done::Kept(_, Err(Unkept { told, refusal })) => {
                if let Some(refusal) = refusal {
                    self.account.refused(*refusal);
                }
                self.answer(id, Answer::Kept(Err(told.into())));
            }
            Done::Called(answer) => {
                let answer = self.account.called(*answer);
                self.answer(id, answer);
            }
            #[cfg(feature = "http")]
            Done::Sent(Ok(exchange)) => {
                let (head, connection) = self.requests.open(id, exchange);
                self.works.add_background(id, connection);
                self.answer(id, Answer::Sent(Ok(head)));
            }
            #[cfg(feature = "http")]
            Done::Sent(Err(unsent)) => {
                let wrong = self.requests.unsent(id, unsent, self.account.traffic());
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

    /// Whether nothing is under way.
    pub(super) fn is_quiet(&self) -> bool {
        self.works.asks() == 0 && self.waiting.is_empty()
    }

    /// The place of an ask that waits no more.
    fn ready(&mut self, context: &mut Context<'_>) -> Option<usize> {
        let sockets = self.sockets.as_mut()?;
        self.waiting.iter().position(|(_, thing)| sockets.poll_ready(*thing, context).is_ready())
    }
}

/// The run's sockets, if it has the interfaces: linked empty, they are there to be refused.
fn sockets(order: &Order) -> Option<Served> {
    let handles = order.limits.bounds().handles;
    (order.links.sockets != Link::Absent).then(|| Served::new(&order.given.sockets, &order.broker, handles))
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

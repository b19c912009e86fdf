//! The requests of a guest in a worker, from the parent's side: sent by the call's broker, counted in this side's account.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Bytes, Frame, SizeHint};
use tokio::sync::mpsc;

use super::child::Sayer;
use super::outside::{Done, Work};
use super::web::{Asked, Head, Piece, Size, Wrong};
use super::wire::Say;
use crate::sandbox::egress::{Body, Exchange, HttpError, Unsent, origin_of};
use crate::sandbox::{Broker, Traffic};

/// What of a response's body was not handed over yet.
pub(super) struct Rest {
    body: Body,
    left: Option<Bytes>,
}

/// The requests of one run.
pub(super) struct Requests {
    sayer: Sayer,
    origins: BTreeMap<u32, String>,
    givers: BTreeMap<u32, Giver>,
    /// The bodies of responses; none while a piece of one is awaited.
    rests: BTreeMap<u32, Option<Rest>>,
}

/// Where the pieces of a request's body go.
struct Giver {
    pieces: mpsc::UnboundedSender<Piece>,
    wanted: Arc<AtomicBool>,
}

impl Requests {
    pub(super) fn new(sayer: Sayer) -> Self {
        Self { sayer, origins: BTreeMap::new(), givers: BTreeMap::new(), rests: BTreeMap::new() }
    }

    /// Has the broker decide and send.
    pub(super) fn send(&mut self, id: u32, asked: Asked, broker: &dyn Broker, traffic: &Arc<Traffic>) -> Result<Work, Wrong> {
        let size = asked.size;
        let (pieces, receiver) = mpsc::unbounded_channel();
        let wanted = Arc::new(AtomicBool::new(false));
        let body =
            Wanted { sayer: self.sayer.clone(), id, size, pieces: receiver, wanted: Arc::clone(&wanted), ended: size.ended };
        let (request, timeouts) = asked.with(body.boxed_unsync()).ok_or(Wrong::HttpRequestUriInvalid)?;
        let origin = origin_of(&request);
        if traffic.request(&origin).is_err() {
            return Err(Wrong::HttpRequestDenied);
        }
        self.origins.insert(id, origin);
        self.givers.insert(id, Giver { pieces, wanted });
        match broker.send(request, timeouts, Arc::clone(traffic)) {
            Ok(sending) => Ok(Box::pin(async move { Done::Sent(sending.await) })),
            Err(unsent) => Err(self.unsent(id, unsent, traffic)),
        }
    }

    /// Keeps a refusal for the receipt, and gives what the guest is told.
    pub(super) fn unsent(&mut self, id: u32, unsent: Unsent, traffic: &Traffic) -> Wrong {
        if let (Some(refusal), Some(origin)) = (unsent.refusal, self.origins.get(&id)) {
            traffic.refused(origin, *refusal);
        }
        self.forget(id);
        unsent.told.into()
    }

    /// There is a response: gives its head, and what moves its body.
    pub(super) fn open(&mut self, id: u32, exchange: Exchange) -> (Head, Work) {
        let Exchange { response, connection } = exchange;
        let head = Head::of(&response);
        self.rests.insert(id, Some(Rest { body: response.into_body(), left: None }));
        // What goes wrong with a connection shows in the body.
        let connection = Box::pin(async move {
            let _ = connection.await;
            Done::Closed
        });
        (head, connection)
    }

    /// The next piece of a response's body.
    pub(super) fn more(&mut self, of: u32) -> Result<Work, &'static str> {
        let Some(mut rest) = self.rests.get_mut(&of).and_then(Option::take) else {
            return Err("asked for the body of no response");
        };
        Ok(Box::pin(async move {
            let frame = match rest.left.take() {
                Some(left) => Some(Ok(Frame::data(left))),
                None => poll_fn(|context| Pin::new(&mut rest.body).poll_frame(context)).await,
            };
            let (piece, left) = Piece::of(frame);
            rest.left = left;
            Done::Piece(of, piece, rest)
        }))
    }

    /// A piece was handed over; another may be asked for.
    pub(super) fn keep(&mut self, of: u32, rest: Rest) {
        if let Some(place) = self.rests.get_mut(&of) {
            *place = Some(rest);
        }
    }

    /// Takes a piece of a request's body.
    pub(super) fn take(&mut self, id: u32, piece: Piece) -> Result<(), &'static str> {
        if !piece.is_short() {
            return Err("gave a piece of a body that is too long");
        }
        // One that crossed with the end of its request.
        let Some(giver) = self.givers.get(&id) else { return Ok(()) };
        if !giver.wanted.swap(false, Ordering::Relaxed) {
            return Err("gave a piece of a body that nobody wanted");
        }
        // As above.
        let _ = giver.pieces.send(piece);
        Ok(())
    }

    /// Nobody waits for this any more.
    pub(super) fn forget(&mut self, id: u32) {
        self.origins.remove(&id);
        self.givers.remove(&id);
        self.rests.remove(&id);
    }
}

/// The body of a request, wanted piece by piece.
struct Wanted {
    sayer: Sayer,
    id: u32,
    size: Size,
    pieces: mpsc::UnboundedReceiver<Piece>,
    wanted: Arc<AtomicBool>,
    ended: bool,
}

impl hyper::body::Body for Wanted {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if self.pieces.is_empty() && !self.wanted.swap(true, Ordering::Relaxed) {
            self.sayer.say(&Say::Want { id: self.id });
        }
        let piece = ready!(self.pieces.poll_recv(context)).unwrap_or(Piece::Failed(Wrong::Internal));
        self.ended = piece.is_last();
        Poll::Ready(piece.frame())
    }

    fn is_end_stream(&self) -> bool {
        self.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.size.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

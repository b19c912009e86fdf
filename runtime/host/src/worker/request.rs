//! A guest's request in a worker: its head goes to the parent, its body in the pieces that the parent wants, and the response's
//! body comes in the pieces that the guest wants.

use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http_body_util::BodyExt as _;
use hyper::Request;
use hyper::body::{Bytes, Frame, SizeHint};
use tokio::sync::mpsc::UnboundedReceiver;

use super::line::{Answered, Line};
use super::web::{Asked, Piece, Size};
use super::wire::{Answer, Ask, Said};
use crate::sandbox::Traffic;
use crate::sandbox::egress::{Body, Exchange, HttpError, Sending, Timeouts, Unsent};

/// What the parent decides, and then sends.
pub(super) fn send(line: &Arc<Line>, run: u64, request: Request<Body>, timeouts: Timeouts, traffic: Arc<Traffic>) -> Sending {
    let line = Arc::clone(line);
    Box::pin(async move {
        let asked = Asked::of(&request, timeouts);
        let body = request.into_body();
        let begun = |id| (id, line.giver(id));
        let Some(((id, wants), mut answering)) = line.open(run, Ask::Send(asked), begun).await else { return Err(lost()) };
        let mut pump = Box::pin(Giving { line: Arc::clone(&line), run, id, body, left: None }.pump(wants));
        let answer = tokio::select! {
            biased;
            answer = &mut answering => answer,
            never = &mut pump => match never {},
        };
        let (answer, bytes) = answer.ok_or_else(lost)?;
        catch_up(&line, run, &traffic, bytes);
        let Answer::Sent(answered) = answer else { return Err(lost()) };
        let head = answered.map_err(|wrong| Unsent::failed(wrong.into()))?;
        let remains = Remains { line: Arc::clone(&line), run, of: id, size: head.size, asking: None, traffic, ended: false };
        let ends = Ends { line: Arc::clone(&line), run, id };
        let response = head.with(remains.boxed_unsync()).ok_or_else(lost)?;
        let connection = Box::pin(async move {
            // The parent's connection ends with this.
            let _ends = ends;
            match pump.await {}
        });
        Ok(Exchange { response, connection })
    })
}

fn lost() -> Unsent {
    Unsent::failed(HttpError::InternalError(None))
}

/// Counts here what was counted there, so that this guest is stopped where it would be stopped there.
fn catch_up(line: &Line, run: u64, traffic: &Traffic, bytes: u64) {
    let more = line.news(run, bytes);
    // A budget that is exceeded is seen when the guest runs again.
    let _ = traffic.moved(usize::try_from(more).unwrap_or(usize::MAX));
}

/// Tells the parent that nobody needs the connection any more.
struct Ends {
    line: Arc<Line>,
    run: u64,
    id: u32,
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.line.give_up(self.run, self.id);
    }
}

/// Gives the pieces of a request's body.
struct Giving {
    line: Arc<Line>,
    run: u64,
    id: u32,
    body: Body,
    left: Option<Bytes>,
}

enum Never {}

impl Giving {
    /// Gives a piece for each that is wanted; does not end by itself.
    async fn pump(mut self, mut wants: UnboundedReceiver<()>) -> Never {
        while wants.recv().await.is_some() {
            let frame = match self.left.take() {
                Some(left) => Some(Ok(Frame::data(left))),
                None => self.body.frame().await,
            };
            let (piece, left) = Piece::of(frame);
            self.left = left;
            let last = piece.is_last();
            self.line.say(&Said::Piece { run: self.run, id: self.id, piece });
            if last {
                break;
            }
        }
        pending().await
    }
}

impl Drop for Giving {
    fn drop(&mut self) {
        self.line.gives_no_more(self.id);
    }
}

/// The body of a response, piece by piece.
struct Remains {
    line: Arc<Line>,
    run: u64,
    of: u32,
    size: Size,
    asking: Option<Asking>,
    traffic: Arc<Traffic>,
    ended: bool,
}

type Asking = Pin<Box<dyn Future<Output = Option<Answered>> + Send>>;

impl hyper::body::Body for Remains {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if self.ended || self.size.ended {
            return Poll::Ready(None);
        }
        let (line, run, of) = (Arc::clone(&self.line), self.run, self.of);
        let asking = self.asking.get_or_insert_with(|| Box::pin(async move { line.ask(run, Ask::More { of }).await }));
        let answered = ready!(asking.as_mut().poll(context));
        self.asking = None;
        let Some((Answer::Piece(piece), bytes)) = answered else {
            self.ended = true;
            return Poll::Ready(Some(Err(HttpError::InternalError(None))));
        };
        catch_up(&self.line, self.run, &self.traffic, bytes);
        self.ended = piece.is_last();
        Poll::Ready(piece.frame())
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.size.ended
    }

    fn size_hint(&self) -> SizeHint {
        self.size.exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

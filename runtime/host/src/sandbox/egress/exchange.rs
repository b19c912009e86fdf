//! One request and one answer over one connection, within time and budget.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Frame, Incoming, SizeHint};
use hyper::client::conn::http1;
use hyper::http::StatusCode;
use hyper::{HeaderMap, Request, Uri};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};
use wasmtime_wasi_http::io::TokioIo;

use super::decide::Allowed;
use super::dial::Stream;
use super::{Body, Exchange, HttpError, Timeouts, after, headers};
use crate::sandbox::Stop;
use crate::sandbox::traffic::Traffic;

/// The most bytes of a connection that are read ahead.
const BUFFER: usize = 64 * 1024;

/// What is sent, and within what.
pub(super) struct Sent<'a> {
    pub(super) allowed: &'a Allowed,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
    pub(super) timeouts: Timeouts,
    pub(super) deadline: Instant,
    /// One of the guest's connections; given back when this one ends.
    pub(super) permit: OwnedSemaphorePermit,
}

/// Sends the request and waits for the head of the answer. A redirect is an answer like any other.
pub(super) async fn exchange(stream: Box<dyn Stream>, sent: Sent<'_>, traffic: Arc<Traffic>) -> Result<Exchange, HttpError> {
    let Sent { allowed, headers, body, timeouts, deadline, permit } = sent;
    let request = request(allowed, headers, body)?;
    let mut builder = http1::Builder::new();
    builder.max_headers(headers::MAX_COUNT).max_header_size(headers::MAX_BYTES).max_buf_size(BUFFER);
    let metered = TokioIo::new(Metered { inner: stream, traffic });
    let (mut sender, connection) = builder.handshake(metered).await.map_err(|error| told(&error))?;
    let mut connection = Box::pin(connection);
    let until = timeouts.first_byte.map_or(deadline, |time| deadline.min(after(time)));
    let answering = async {
        let mut sending = std::pin::pin!(sender.send_request(request));
        tokio::select! {
            biased;
            response = &mut sending => (response, false),
            ended = &mut connection => match ended {
                Ok(()) => (sending.await, true),
                Err(error) => (Err(error), true),
            },
        }
    };
    let (response, ended) = match timeout_at(until, answering).await {
        Ok((response, ended)) => (response.map_err(|error| told(&error))?, ended),
        Err(_) => return Err(HttpError::HttpResponseTimeout),
    };
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return Err(HttpError::HttpUpgradeFailed);
    }
    let response = response.map(|incoming| Timed::new(incoming, deadline, timeouts.between_bytes).boxed_unsync());
    let connection: Pin<Box<dyn Future<Output = _> + Send>> = if ended {
        Box::pin(std::future::ready(Ok(())))
    } else {
        Box::pin(async move {
            let _permit = permit;
            match timeout_at(deadline, connection).await {
                Ok(ended) => ended.map_err(|error| told(&error)),
                Err(_) => Err(HttpError::HttpResponseTimeout),
            }
        })
    };
    Ok(Exchange { response, connection })
}

/// The request as it goes over the connection: in origin form, with nothing of what the guest wrote but what was decided.
fn request(allowed: &Allowed, headers: HeaderMap, body: Body) -> Result<Request<Body>, HttpError> {
    let target: Uri = allowed.target.parse().map_err(|_| HttpError::HttpRequestUriInvalid)?;
    let mut request = Request::builder()
        .method(allowed.method.as_str())
        .uri(target)
        .body(body)
        .map_err(|_| HttpError::HttpRequestUriInvalid)?;
    *request.headers_mut() = headers;
    Ok(request)
}

/// What the guest is told of trouble with the connection.
fn told(error: &hyper::Error) -> HttpError {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if let Some(cause) = cause.downcast_ref::<io::Error>() {
            if cause.get_ref().and_then(|inner| inner.downcast_ref::<Stop>()).is_some() {
                return HttpError::HttpResponseBodySize(None);
            }
            if cause.kind() == io::ErrorKind::UnexpectedEof {
                return HttpError::HttpResponseIncomplete;
            }
        }
        source = cause.source();
    }
    if error.is_parse_too_large() {
        HttpError::HttpResponseHeaderSectionSize(None)
    } else if error.is_incomplete_message() {
        HttpError::HttpResponseIncomplete
    } else if error.is_parse() || error.is_user() {
        HttpError::HttpProtocolError
    } else {
        HttpError::ConnectionTerminated
    }
}

/// Counts what goes through.
struct Metered {
    inner: Box<dyn Stream>,
    traffic: Arc<Traffic>,
}

impl AsyncRead for Metered {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.traffic.check().map_err(io::Error::other)?;
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.inner).poll_read(context, buffer))?;
        let read = buffer.filled().len().saturating_sub(before);
        Poll::Ready(self.traffic.moved(read).map_err(io::Error::other))
    }
}

impl AsyncWrite for Metered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.traffic.check().map_err(io::Error::other)?;
        let written = ready!(Pin::new(&mut self.inner).poll_write(context, bytes))?;
        Poll::Ready(self.traffic.moved(written).map(|()| written).map_err(io::Error::other))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

/// The body of a response, for as long as there is time.
struct Timed {
    incoming: Incoming,
    deadline: Pin<Box<Sleep>>,
    quiet: Option<(Duration, Pin<Box<Sleep>>)>,
}

impl Timed {
    fn new(incoming: Incoming, deadline: Instant, quiet: Option<Duration>) -> Self {
        let quiet = quiet.map(|time| (time, Box::pin(sleep_until(after(time)))));
        Self { incoming, deadline: Box::pin(sleep_until(deadline)), quiet }
    }
}

impl hyper::body::Body for Timed {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if self.deadline.as_mut().poll(context).is_ready() {
            return Poll::Ready(Some(Err(HttpError::HttpResponseTimeout)));
        }
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some((time, sleep)) = &mut self.quiet {
                    sleep.as_mut().reset(after(*time));
                }
                Poll::Ready(frame.map(|frame| frame.map_err(|error| told(&error))))
            }
            Poll::Pending => {
                let quiet = self.quiet.as_mut().is_some_and(|(_, sleep)| sleep.as_mut().poll(context).is_ready());
                if quiet { Poll::Ready(Some(Err(HttpError::ConnectionReadTimeout))) } else { Poll::Pending }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

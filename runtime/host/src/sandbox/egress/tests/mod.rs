//! Requests over real connections, to servers of this machine that behave and to servers that do not.
//!
//! `root.der` signed `server.der` (for `tls.example` and 127.0.0.1, until 2126), whose key is `server.key.der`. They were made
//! with openssl for these tests, the root's own key was thrown away, and nothing but these tests believes it.

mod budget;
mod dial;
mod secrets;
pub(crate) mod server;
mod tls;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Frame};

use super::*;
use crate::sandbox::traffic::Allowance;
use server::{Server, head, reply};

/// Answers each question with the next of its answers, and the last one for ever.
struct Answers {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Answers {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(parse).collect()), asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Answers {
    fn resolve(&self, _name: &str) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(std::future::ready(Ok(answer.unwrap_or_default())))
    }
}

fn grant(origin: &str, addresses: &[&str]) -> Grant {
    let addresses: Vec<IpAddr> = addresses.iter().map(|address| address.parse().unwrap()).collect();
    serde_json::from_value(serde_json::json!({
        "origin": origin, "methods": ["GET", "POST"], "paths": ["/"], "addresses": addresses
    }))
    .unwrap()
}

/// What came of a request.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    /// The body, as far as it came, and what it ended with.
    body: Vec<u8>,
    end: Result<(), HttpError>,
}

use hyper::HeaderMap;

/// One guest's way to the network.
struct Way {
    egress: Egress,
    traffic: Arc<Traffic>,
    timeouts: Timeouts,
}

impl Way {
    fn new(grants: &[Grant], network: &Network) -> Self {
        Self::within(grants, network, Allowance { requests: 100, bytes: 1 << 20, time: Duration::from_secs(5) })
    }

    fn within(grants: &[Grant], network: &Network, allowed: Allowance) -> Self {
        Self {
            egress: Egress::new(grants, Arc::default(), network),
            traffic: Arc::new(Traffic::new(allowed)),
            timeouts: Timeouts::default(),
        }
    }

    /// To a server here, of which the grant says that its address is meant.
    fn to(server: &Server) -> Self {
        Self::new(&[grant(&server.origin(), &["127.0.0.1"])], &Network::default())
    }

    fn fetch(&self, request: Request<Body>) -> Result<Answer, Unsent> {
        runtime().block_on(async {
            let sending = self.egress.send(request, self.timeouts, Arc::clone(&self.traffic))?;
            let Exchange { response, connection } = sending.await?;
            let connection = tokio::spawn(connection);
            let (parts, mut incoming) = response.into_parts();
            let (mut body, mut end) = (Vec::new(), Ok(()));
            while let Some(frame) = incoming.frame().await {
                match frame {
                    Ok(frame) => body.extend(frame.into_data().unwrap_or_default()),
                    Err(error) => {
                        end = Err(error);
                        break;
                    }
                }
            }
            connection.abort();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body, end })
        })
    }

    fn get(&self, url: &str) -> Result<Answer, Unsent> {
        self.fetch(Request::get(url).body(Body::default()).unwrap())
    }

    fn refusal(&self, url: &str) -> Refusal {
        *self.get(url).unwrap_err().refusal.expect("it is refused")
    }

    fn failure(&self, url: &str) -> HttpError {
        let unsent = self.get(url).unwrap_err();
        assert_eq!(unsent.refusal, None);
        unsent.told
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A body that comes in pieces and does not say how long it will be.
struct Pieces(VecDeque<Bytes>);

impl Pieces {
    fn body(pieces: &[&'static str]) -> Body {
        Self(pieces.iter().map(|piece| Bytes::from_static(piece.as_bytes())).collect()).boxed_unsync()
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

#[test]
fn a_granted_request_goes_out_as_it_was_decided() {
    let server = Server::plain(|stream| reply(stream, "200 OK", "content-type: text/plain\r\nx-a: b", "hello"));
    let answer = Way::to(&server).get(&format!("{}/a%20b?c=d", server.origin())).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"hello"[..]));
    assert!(answer.end.is_ok() && answer.headers["x-a"] == "b");
    let head = server.heads().remove(0);
    assert!(head.starts_with("GET /a%20b?c=d HTTP/1.1\r\n"), "{head}");
    let host = format!("host: 127.0.0.1:{}\r\n", server.port());
    assert!(head.contains(&host) && head.contains("connection: close\r\n") && head.lines().count() == 4, "{head}");
}

#[test]
fn a_redirect_is_given_back_and_not_followed() {
    let inner = Server::plain(|stream| reply(stream, "200 OK", "", "inner"));
    let location = format!("location: {}/", inner.origin());
    let server = Server::plain(move |stream| reply(stream, "302 Found", &location, ""));
    let way = Way::to(&server);
    let answer = way.get(&server.origin()).unwrap();
    assert_eq!((answer.status, answer.headers["location"].to_str().unwrap()), (302, format!("{}/", inner.origin()).as_str()));
    // And asking for it is a request like any other.
    assert_eq!(way.refusal(&format!("{}/", inner.origin())).reason, Reason::Origin);
    assert_eq!((server.heads().len(), inner.heads().len()), (1, 0));
}

#[test]
fn what_is_not_granted_reaches_nobody() {
    let server = Server::plain(|stream| reply(stream, "200 OK", "", ""));
    let way = Way::to(&server);
    let (origin, port) = (server.origin(), server.port());
    for (url, reason) in [
        (format!("http://localhost:{port}/"), Reason::Origin),
        (format!("https://127.0.0.1:{port}/"), Reason::Origin),
        ("http://127.0.0.1/".to_owned(), Reason::Origin),
        (format!("http://a@127.0.0.1:{port}/"), Reason::Spelling),
        (format!("{origin}/../x"), Reason::Spelling),
        (format!("{origin}//x"), Reason::Spelling),
    ] {
        assert_eq!(way.refusal(&url).reason, reason, "{url}");
    }
    let put = Request::put(&origin).body(Body::default()).unwrap();
    assert_eq!(way.fetch(put).unwrap_err().refusal.unwrap().reason, Reason::Method);
    for name in ["transfer-encoding", "host", "connection", "upgrade", "proxy-authorization", "transfer_encoding", "te"] {
        let request = Request::get(&origin).header(name, "chunked").body(Body::default()).unwrap();
        let unsent = way.fetch(request).unwrap_err();
        assert_eq!(unsent.refusal.unwrap().reason, Reason::Header, "{name}");
        assert!(matches!(unsent.told, HttpError::HttpRequestDenied));
    }
    let request = Request::get(&origin).header("x", "y".repeat(headers::MAX_BYTES)).body(Body::default()).unwrap();
    let unsent = way.fetch(request).unwrap_err();
    assert!(matches!(unsent.told, HttpError::HttpRequestHeaderSectionSize(Some(_))), "{unsent:?}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_body_is_framed_by_the_host() {
    let server = Server::plain(|stream| reply(stream, "200 OK", "", ""));
    let post = |length: Option<&str>, pieces: &[&'static str]| {
        let mut request = Request::post(server.origin());
        if let Some(length) = length {
            request = request.header("content-length", length);
        }
        request.body(Pieces::body(pieces)).unwrap()
    };
    let way = Way::to(&server);
    way.fetch(post(None, &["hello ", "world"])).unwrap();
    let head = server.heads().remove(0);
    assert!(head.contains("transfer-encoding: chunked\r\n") && !head.contains("content-length"), "{head}");
    way.fetch(post(Some("5"), &["he", "llo"])).unwrap();
    let head = server.heads().remove(1);
    assert!(head.contains("content-length: 5\r\n") && !head.contains("transfer-encoding"), "{head}");
}

/// A length that is not the body's must not let the rest be read as a second request.
#[test]
fn a_length_that_lies_smuggles_nothing() {
    let server = Server::plain(|stream| {
        let mut rest = Vec::new();
        let _ = std::io::Read::read_to_end(stream, &mut rest);
        assert!(!String::from_utf8_lossy(&rest).contains("GET /smuggled"));
    });
    let way = Way::within(
        &[grant(&server.origin(), &["127.0.0.1"])],
        &Network::default(),
        Allowance { requests: 9, bytes: 1 << 20, time: Duration::from_millis(500) },
    );
    for (length, pieces) in [("2", &["ab", "GET /smuggled HTTP/1.1\r\n\r\n"][..]), ("9", &["ab"][..])] {
        let request = Request::post(server.origin()).header("content-length", length).body(Pieces::body(pieces)).unwrap();
        assert!(way.fetch(request).is_err(), "{length}");
    }
    assert!(server.sound());
}

#[test]
fn answers_that_are_none_are_told_as_such() {
    for (answer, expected) in [
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", "HTTP upgrade failed"),
        ("hello\r\n\r\n", "HTTP protocol error"),
        ("HTTP/2.0 200 OK\r\n\r\n", "HTTP protocol error"),
        ("HTTP/1.1 200 OK\r\nbad header\r\n\r\n", "HTTP protocol error"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", "HTTP protocol error"),
        ("", "incomplete HTTP response"),
    ] {
        let server = Server::plain(move |stream| {
            let _ = std::io::Write::write_all(stream, answer.as_bytes());
        });
        assert_eq!(Way::to(&server).failure(&server.origin()).to_string(), expected, "{answer:?}");
    }
    let server = Server::plain(|stream| {
        let _ = std::io::Write::write_all(stream, head("200 OK", "content-length: 10", "").as_bytes());
    });
    let answer = Way::to(&server).get(&server.origin()).unwrap();
    assert!(matches!(answer.end, Err(HttpError::HttpResponseIncomplete)), "{answer:?}");
}

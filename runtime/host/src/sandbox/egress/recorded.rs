//! Replies that were recorded, in the place of a network: a request that was let through is answered by the reply that is
//! kept for its method and URL, and by nothing if there is none.
//!
//! Only what is dialled is another: whether a request may be sent, its headers, its secrets, its budget, and how the answer is
//! read are those of a request to the network.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use hyper::StatusCode;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use skillhall_core::capability::http::{Grant, Method};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::decide::{Allowed, Asked, METHODS, origin, refusal};
use super::dial::Stream;
use super::{HttpError, Unsent, headers, target};
use crate::sandbox::refusal::Reason;

/// The most replies of one recording.
pub const MAX_REPLIES: usize = 256;
/// The most bytes of the body of a reply.
pub const MAX_BODY: usize = 8 << 20;

/// A reply, and the request that it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The method.
    pub method: Method,
    /// The URL, spelled as a request may be: scheme, host, path, query.
    pub url: String,
    /// The status, 200 to 599.
    pub status: u16,
    /// Names and values, without those that frame the message.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// A reply that cannot be one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct BadReply {
    /// Which one, from 0.
    pub index: usize,
    /// What is wrong.
    pub message: String,
}

/// Looks at replies before they are needed.
///
/// # Errors
/// At the first that no server could give, or that no request could be for.
pub fn check(replies: &[Reply]) -> Result<(), BadReply> {
    Recording::new(replies).map(drop)
}

/// The replies by method and URL. Those to the same request come in their order, and the last of them again and again.
#[derive(Debug)]
pub(crate) struct Recording(Mutex<BTreeMap<String, Kept>>);

#[derive(Debug)]
struct Kept {
    replies: Vec<Arc<[u8]>>,
    given: usize,
}

impl Recording {
    /// No reply at all.
    pub(crate) fn nothing() -> Self {
        Self(Mutex::default())
    }

    /// # Errors
    /// At the first reply that no server could give, or that no request could be for.
    pub(crate) fn new(replies: &[Reply]) -> Result<Self, BadReply> {
        if replies.len() > MAX_REPLIES {
            return Err(BadReply { index: MAX_REPLIES, message: format!("at most {MAX_REPLIES} replies are recorded") });
        }
        let mut kept: BTreeMap<String, Kept> = BTreeMap::new();
        for (index, reply) in replies.iter().enumerate() {
            let bad = |message| BadReply { index, message };
            let request = request_of(reply).map_err(bad)?;
            let bytes = bytes_of(reply).map_err(bad)?;
            kept.entry(request).or_insert_with(|| Kept { replies: Vec::new(), given: 0 }).replies.push(bytes.into());
        }
        Ok(Self(Mutex::new(kept)))
    }

    /// What no request was for: method and URL of each.
    pub(crate) fn unused(&self) -> Vec<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|(_, kept)| kept.given < kept.replies.len()).map(|(request, _)| request.clone()).collect()
    }

    /// The connection over which a request gets its reply.
    pub(super) fn dial(&self, grants: &[Grant], asked: &Asked<'_>, allowed: &Allowed) -> Result<Box<dyn Stream>, Unsent> {
        let request = format!("{} {}{}", allowed.method.as_str(), allowed.origin(), allowed.target);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = kept.get_mut(&request).and_then(|kept| {
            let reply = kept.replies.get(kept.given).or(kept.replies.last()).cloned();
            kept.given = kept.given.saturating_add(1);
            reply
        });
        match reply {
            Some(reply) => Ok(Box::new(Canned { reply, at: 0, asked: false, waits: None })),
            None => Err(unrecorded(grants, asked, &request)),
        }
    }
}

/// Nothing is recorded for it. Here the query is told: whoever reads this wrote the case.
fn unrecorded(grants: &[Grant], asked: &Asked<'_>, request: &str) -> Unsent {
    let message = format!("no reply is recorded for {request}");
    let mut unsent = refusal(grants, asked, Reason::Unrecorded, &message, HttpError::HttpRequestDenied);
    if let Some(refusal) = &mut unsent.refusal {
        "Record one in the case: method, url, status, headers, body.".clone_into(&mut refusal.hint);
    }
    unsent
}

/// Method and URL, as a request that is let through has them.
fn request_of(reply: &Reply) -> Result<String, String> {
    let wrong = || format!("'{}' is no URL such as https://api.example.com/v1/a?b=c", reply.url.escape_debug());
    let (scheme, rest) =
        reply.url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https")).ok_or_else(wrong)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, asked) = rest.split_at(end);
    if authority.is_empty() || authority.contains('@') || authority.chars().any(char::is_uppercase) {
        return Err(wrong());
    }
    let (path, query) = target::read(asked).map_err(|flaw| match flaw {
        target::Flaw::Long => format!("path and query are longer than {} bytes", target::MAX_BYTES),
        target::Flaw::Spelling(rule) => rule.to_owned(),
    })?;
    if !METHODS.contains(&reply.method) {
        return Err("no skill can be granted this method".to_owned());
    }
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok(format!("{} {}{path}{query}", reply.method.as_str(), origin(scheme, authority)))
}

/// The reply as it goes over a connection.
fn bytes_of(reply: &Reply) -> Result<Vec<u8>, String> {
    let status = StatusCode::from_u16(reply.status).ok().filter(|status| (200..=599).contains(&status.as_u16()));
    let status = status.ok_or_else(|| format!("{} is no status of a reply: 200 to 599", reply.status))?;
    if reply.body.len() > MAX_BODY {
        return Err(format!("the body has {} bytes; at most {MAX_BODY} are recorded", reply.body.len()));
    }
    let mut bytes = format!("HTTP/1.1 {status}\r\n").into_bytes();
    for (name, value) in &reply.headers {
        let parsed = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value));
        let (Ok(known), Ok(sound)) = parsed else {
            return Err(format!("'{}' is no header with such a value", name.escape_debug()));
        };
        if known == CONTENT_LENGTH || headers::is_forbidden(&known) {
            return Err(format!("the header {known} frames the message; it is made from the body"));
        }
        for part in [known.as_str().as_bytes(), b": ", sound.as_bytes(), b"\r\n"] {
            bytes.extend_from_slice(part);
        }
    }
    let bodiless = reply.method == Method::Head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if !matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        bytes.extend_from_slice(format!("content-length: {}\r\n", reply.body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"connection: close\r\n\r\n");
    if bytes.len() > headers::MAX_BYTES {
        return Err(format!("the headers have more than {} bytes", headers::MAX_BYTES));
    }
    if bodiless {
        if !reply.body.is_empty() && reply.method != Method::Head {
            return Err(format!("a reply of status {} has no body", reply.status));
        }
    } else {
        bytes.extend_from_slice(&reply.body);
    }
    Ok(bytes)
}

/// A connection whose other end reads whatever comes and gives one reply, once it has read something.
struct Canned {
    reply: Arc<[u8]>,
    at: usize,
    asked: bool,
    waits: Option<Waker>,
}

impl AsyncRead for Canned {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.asked {
            self.waits = Some(context.waker().clone());
            return Poll::Pending;
        }
        let rest = self.reply.get(self.at..).unwrap_or_default();
        let next = rest.get(..rest.len().min(buffer.remaining())).unwrap_or_default();
        buffer.put_slice(next);
        let read = next.len();
        self.at = self.at.saturating_add(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Canned {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(waker) = self.waits.take() {
            waker.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(url: &str) -> Reply {
        Reply { method: Method::Get, url: url.to_owned(), status: 200, headers: Vec::new(), body: b"hello".to_vec() }
    }

    #[test]
    fn a_reply_is_kept_under_what_a_request_is_let_through_as() {
        for (url, request) in [
            ("https://a.example", "GET https://a.example/"),
            ("https://a.example:443/x?y=1", "GET https://a.example/x?y=1"),
            ("http://a.example:8080?y", "GET http://a.example:8080/?y"),
        ] {
            assert_eq!(request_of(&reply(url)).as_deref(), Ok(request));
        }
        for url in
            ["a.example", "ftp://a.example/", "https://", "https://A.example/", "https://u@a.example/", "https://a.example/../b"]
        {
            assert!(request_of(&reply(url)).is_err(), "{url}");
        }
    }

    #[test]
    fn a_reply_frames_itself() {
        let text = |reply: &Reply| bytes_of(reply).map(|bytes| String::from_utf8(bytes).unwrap());
        let plain = Reply { headers: vec![("X-A".into(), "1".into())], ..reply("https://a.example/") };
        assert_eq!(text(&plain).unwrap(), "HTTP/1.1 200 OK\r\nx-a: 1\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello");
        let head = text(&Reply { method: Method::Head, ..plain.clone() }).unwrap();
        assert!(head.contains("content-length: 5\r\n") && head.ends_with("\r\n\r\n"), "{head}");
        let empty = text(&Reply { status: 204, body: Vec::new(), ..plain.clone() }).unwrap();
        assert!(!empty.contains("content-length"), "{empty}");
        for name in ["Content-Length", "transfer-encoding", "connection", "a b", "a\r\nb"] {
            assert!(text(&Reply { headers: vec![(name.into(), "1".into())], ..plain.clone() }).is_err(), "{name}");
        }
        for status in [0, 99, 101, 199, 600] {
            assert!(text(&Reply { status, ..plain.clone() }).is_err(), "{status}");
        }
        assert!(text(&Reply { headers: vec![("a".into(), "b\r\nc: d".into())], ..plain.clone() }).is_err());
        assert!(text(&Reply { status: 304, ..plain }).is_err());
    }
}

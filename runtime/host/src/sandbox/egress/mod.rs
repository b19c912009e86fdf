//! Requests of a guest that runs in this very process: decided, sent to the address that was looked at, and never followed.
//!
//! For each request: is it granted (`decide`)? What may stand in its head (`headers`)? Which of the addresses that the
//! name leads to may be dialled (`address`, `dial`)? Then one connection, one request with its `secrets`, one answer (`exchange`).

mod decide;
mod dial;
mod exchange;
pub(super) mod headers;
mod network;
mod recorded;
mod secrets;
mod target;

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::http::uri::{Authority, PathAndQuery};
use hyper::{Request, Response};
use skillhall_core::capability::http::Grant;
use skillhall_core::capability::secrets::Grant as Secret;
use tokio::sync::Semaphore;
use tokio::time::Instant;

pub use network::{BadRoot, Network, Resolve, Resolving};
pub(crate) use recorded::Recording;
pub use recorded::{BadReply, MAX_BODY, MAX_REPLIES, Reply, check as check_replies};
/// What a guest is told of a request that has no answer (the `error-code` of `wasi:http`).
pub use wasmtime_wasi_http::Error as HttpError;
/// The body of a request or a response.
pub use wasmtime_wasi_http::WasiBody as Body;

use super::refusal::{Reason, Refusal};
use super::secrets::held::Held;
use super::traffic::Traffic;
use decide::{Allowed, Asked, decide, refusal};

/// The most connections that one guest has open at once.
const CONNECTIONS: usize = 8;

/// What a guest wants of the time that its request takes. Each counts only if it is shorter than the host's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// Until there is a connection.
    pub connect: Option<Duration>,
    /// Then until the head of the response is there.
    pub first_byte: Option<Duration>,
    /// Between two pieces of the response's body.
    pub between_bytes: Option<Duration>,
}

/// A response, and what has to be polled while its body is read. The connection ends when that is dropped.
pub struct Exchange {
    /// The response.
    pub response: Response<Body>,
    /// Moves the bytes of the body.
    pub connection: Pin<Box<dyn Future<Output = Result<(), HttpError>> + Send>>,
}

/// Why a request has no response.
#[derive(Debug)]
pub struct Unsent {
    /// What the guest is told.
    pub told: HttpError,
    /// What the receipt is told, if it was refused and did not merely fail.
    pub refusal: Option<Box<Refusal>>,
}

/// A request that is under way.
pub type Sending = Pin<Box<dyn Future<Output = Result<Exchange, Unsent>> + Send>>;

impl Unsent {
    /// It was refused.
    #[must_use]
    pub fn refused(told: HttpError, refusal: Refusal) -> Self {
        Self { told, refusal: Some(Box::new(refusal)) }
    }

    /// It failed.
    #[must_use]
    pub fn failed(told: HttpError) -> Self {
        Self { told, refusal: None }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("status", &self.response.status()).finish_non_exhaustive()
    }
}

/// What one call was granted, and by what it is reached.
#[derive(Clone)]
pub(super) struct Egress(Arc<Inner>);

struct Inner {
    grants: Vec<Grant>,
    secrets: Arc<Held>,
    network: Network,
    connections: Arc<Semaphore>,
}

impl Egress {
    pub(super) fn new(grants: &[Grant], secrets: Arc<Held>, network: &Network) -> Self {
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        Self(Arc::new(Inner { grants: grants.to_vec(), secrets, network: network.clone(), connections }))
    }

    /// Decides at once, and gives what sends the request.
    pub(super) fn send(&self, request: Request<Body>, timeouts: Timeouts, traffic: Arc<Traffic>) -> Result<Sending, Unsent> {
        let Inner { grants, secrets, connections, .. } = &*self.0;
        let (parts, body) = request.into_parts();
        let asked = Owned::of(&parts);
        let allowed = decide(grants, &asked.borrow())?;
        if let Some(secret) = secrets::clash(secrets, &allowed.origin(), &parts.headers) {
            return Err(self.is_the_hosts(&asked, secret));
        }
        let headers = headers::admit(parts.headers, &allowed.authority).map_err(|flaw| self.unfit(&asked, &flaw))?;
        let Ok(permit) = Arc::clone(connections).try_acquire_owned() else {
            let message = format!("the skill has {CONNECTIONS} connections open already");
            let refusal = refusal(grants, &asked.borrow(), Reason::Connections, &message, HttpError::ConnectionLimitReached);
            return Err(refusal);
        };
        let egress = self.clone();
        let deadline = after(traffic.allowed().time);
        Ok(Box::pin(async move {
            let Inner { grants, secrets, network, .. } = &*egress.0;
            let until = timeouts.connect.map_or(deadline, |time| deadline.min(after(time)));
            let stream = match network.recording() {
                Some(recording) => recording.dial(grants, &asked.borrow(), &allowed)?,
                None => dial::dial(&allowed, network, until).await.map_err(|undialled| match undialled {
                    dial::Undialled::Failed(told) => Unsent::failed(told),
                    dial::Undialled::Prohibited(found) => prohibited(grants, &asked.borrow(), &allowed, &found),
                })?,
            };
            // Last of all: the other end is the one that was looked at, and through TLS it has shown who it is.
            let mut headers = headers;
            secrets::add(secrets, &allowed.origin(), &mut headers).map_err(Unsent::failed)?;
            let sent = exchange::Sent { allowed: &allowed, headers, body, timeouts, deadline, permit };
            exchange::exchange(stream, sent, traffic).await.map_err(Unsent::failed)
        }))
    }

    fn is_the_hosts(&self, asked: &Owned, secret: &Secret) -> Unsent {
        let Secret { name, header, .. } = secret;
        let message = format!("the header {header} is the host's to set for this origin: the secret {name} goes into it");
        let mut unsent = refusal(&self.0.grants, &asked.borrow(), Reason::Header, &message, HttpError::HttpRequestDenied);
        if let Some(refusal) = &mut unsent.refusal {
            refusal.hint = format!("The skill leaves {header} out; the host adds it.");
        }
        unsent
    }

    fn unfit(&self, asked: &Owned, flaw: &headers::Flaw) -> Unsent {
        let (reason, message, told) = match flaw {
            headers::Flaw::Forbidden(name) => {
                (Reason::Header, format!("the header {name} is the host's to set"), HttpError::HttpRequestDenied)
            }
            headers::Flaw::Size(bytes) => (
                Reason::Size,
                format!(
                    "at most {} headers of {} bytes in all are sent; these have {bytes}",
                    headers::MAX_COUNT,
                    headers::MAX_BYTES
                ),
                HttpError::HttpRequestHeaderSectionSize(u32::try_from(*bytes).ok()),
            ),
        };
        refusal(&self.0.grants, &asked.borrow(), reason, &message, told)
    }
}

/// [`Asked`], kept for as long as the request is under way.
struct Owned {
    method: String,
    scheme: String,
    authority: String,
    target: String,
}

impl Owned {
    fn of(parts: &Parts) -> Self {
        Self {
            method: parts.method.as_str().to_owned(),
            scheme: parts.uri.scheme_str().unwrap_or_default().to_owned(),
            authority: parts.uri.authority().map(Authority::as_str).unwrap_or_default().to_owned(),
            target: parts.uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default().to_owned(),
        }
    }

    fn borrow(&self) -> Asked<'_> {
        Asked { method: &self.method, scheme: &self.scheme, authority: &self.authority, target: &self.target }
    }
}

/// Every address that the origin leads to is one that is not dialled.
fn prohibited(grants: &[Grant], asked: &Asked<'_>, allowed: &Allowed, found: &[IpAddr]) -> Unsent {
    let found: Vec<String> = found.iter().map(ToString::to_string).collect();
    let message = format!("{} leads to {}, which is not public", allowed.authority, found.join(", "));
    let mut unsent = refusal(grants, asked, Reason::Address, &message, HttpError::DestinationIpProhibited);
    if let Some(refusal) = &mut unsent.refusal {
        refusal.hint = format!(
            "If that address is meant, the operator names it: hall grant NAMESPACE/NAME {} {}",
            flags(grants, &decide::origin(asked.scheme, asked.authority)),
            found.iter().map(|address| format!("--address {address}")).collect::<Vec<_>>().join(" ")
        );
    }
    unsent
}

/// How `hall grant` spells all that is granted for an origin.
fn flags(grants: &[Grant], origin: &str) -> String {
    let of_origin = || grants.iter().filter(|grant| grant.origin == origin);
    let (mut methods, mut paths): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for method in of_origin().flat_map(|grant| &grant.methods).map(|method| method.as_str()) {
        if !methods.contains(&method) {
            methods.push(method);
        }
    }
    for path in of_origin().flat_map(|grant| &grant.paths) {
        if !paths.contains(&path.as_str()) {
            paths.push(path);
        }
    }
    format!("--http {origin} --methods {} --paths {}", methods.join(","), paths.join(","))
}

/// The moment when so much time will have passed; now, if there is no such moment.
fn after(time: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now)
}

/// Where a request goes, for counting.
pub(crate) fn origin_of(request: &Request<Body>) -> String {
    let uri = request.uri();
    let authority = decide::without_user(uri.authority().map_or("", Authority::as_str));
    decide::origin(uri.scheme_str().unwrap_or_default(), &authority)
}

#[cfg(test)]
pub(crate) mod tests;

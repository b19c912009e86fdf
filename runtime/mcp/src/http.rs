//! How do clients speak with a hall over HTTP? One request a message, each with the token of its caller; there are no sessions.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::{ALLOW, AUTHORIZATION, CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::{Body as _, Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use skillhall::hall::{Fault, Refused};
use skillhall_core::denial::Code;
use skillhall_core::govern::call::Caller;
use skillhall_core::ledger::event::EventKind;
use skillhall_core::registry::token::TokenText;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use crate::door::{Door, bearer};
use crate::rates::Rates;
use crate::server::{GRACE, LONGEST, Server, holder};
use crate::shares::{Gone, Share, Shares};

/// The one path that is answered.
const PATH: &str = "/mcp";
/// How many connections there may be.
const CONNECTIONS: usize = 256;
/// How long a request's head may take, and how long a connection may be there without one.
const HEAD: Duration = Duration::from_secs(10);
/// How long a request's body may take.
const BODY: Duration = Duration::from_secs(15);
/// For how long what is sent may stay unread, in milliseconds.
const UNREAD_MS: u32 = 30_000;
/// How many lines a request's head may have, and bytes.
const HEADERS: usize = 64;
const HEAD_BYTES: usize = 64 << 10;
/// In pieces of how many bytes the bodies are counted that are there at once, as far as they have come; and how many pieces there may
/// be: of all callers, and of one.
const PIECE: usize = 64 << 10;
const BODIES: (usize, usize) = (1024, 256);
/// How many requests a token makes at once, and after which time another.
const REQUESTS: (u32, Duration) = (100, Duration::from_millis(50));
/// How many refused tokens are recorded at once, and after which time another: whoever has none must not fill the ledger.
const RECORDED: (u32, Duration) = (20, Duration::from_secs(10));
/// What one connection too many is told.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

type Reply = Response<BoxBody<Bytes, Infallible>>;

/// A port that is listened on.
#[derive(Debug)]
pub struct Http {
    listener: TcpListener,
    address: SocketAddr,
}

impl Http {
    /// Listens; port 0 is any that is free.
    ///
    /// # Errors
    /// If the address cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it is reached.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address as a client is to be given it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Serves whoever shows a token of the hall, until `until` is there. Calls that still run then are stopped after a moment, and when
    /// this returns the records of all calls are closed. The hall has to be opened without a token.
    pub async fn serve(self, server: Server, door: Door, until: impl Future<Output = ()>) {
        let way = Way::new(server.clone(), door);
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        let (ends, ended) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut until = std::pin::pin!(until);
        loop {
            let accepted = tokio::select! {
                biased;
                () = &mut until => break,
                Some(_) = connections.join_next() => continue,
                accepted = self.listener.accept() => accepted,
            };
            match accepted.map(|(stream, _)| (stream, places.clone().try_acquire_owned())) {
                Ok((stream, Ok(place))) => drop(connections.spawn(speak(way.clone(), stream, place, ended.clone()))),
                // There is room for this much, or the client learns it from the connection's end.
                Ok((stream, Err(_))) => drop(stream.writable().await.and_then(|()| stream.try_write(FULL))),
                // Too many open files, most likely: they become fewer.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
        drop(self.listener);
        ends.send_replace(true);
        server.halls().shutdown(GRACE).await;
        let all = async { while connections.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(GRACE, all).await;
    }
}

/// One connection, to its end.
async fn speak(way: Arc<Way>, stream: TcpStream, place: OwnedSemaphorePermit, mut ended: watch::Receiver<bool>) {
    let _ = rustix::net::sockopt::set_tcp_user_timeout(&stream, UNREAD_MS);
    let _ = stream.set_nodelay(true);
    let answers = service_fn(move |request| {
        let way = way.clone();
        async move { Ok::<_, Infallible>(way.answer(request).await.unwrap_or_else(|refused| refused)) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD).max_headers(HEADERS).max_buf_size(HEAD_BYTES);
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), answers));
    let ending = async move { drop(ended.wait_for(|ended| *ended).await) };
    tokio::select! {
        _ = connection.as_mut() => {}
        () = ending => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(place);
}

/// What every request passes, in this order: is it meant for this server, for its one path, with a token that holds, not too often, and
/// of a length and a speed that it can have.
struct Way {
    server: Server,
    door: Door,
    service: StreamableHttpService<Server, NeverSessionManager>,
    bodies: Shares,
    requests: Rates,
    recorded: Rates,
}

impl Way {
    fn new(server: Server, door: Door) -> Arc<Self> {
        // The same once more, by the protocol's own means.
        let origins = door.names().flat_map(|name| ["http", "https"].map(|scheme| format!("{scheme}://{name}")));
        let config = StreamableHttpServerConfig::default()
            .with_allowed_hosts(door.names())
            .with_allowed_origins(origins.map(|origin| if has_port(&origin) { origin } else { format!("{origin}:*") }))
            .enforce_origin_validation()
            .with_legacy_session_mode(false)
            .with_json_response(true)
            .with_max_request_body_bytes(LONGEST);
        let each = server.for_each();
        let service = StreamableHttpService::new(move || Ok(each.clone()), Arc::new(NeverSessionManager::default()), config);
        Arc::new(Self {
            server,
            door,
            service,
            bodies: Shares::new(BODIES.0, BODIES.1),
            requests: Rates::new(REQUESTS.0, REQUESTS.1),
            recorded: Rates::new(RECORDED.0, RECORDED.1),
        })
    }

    async fn answer(self: &Arc<Self>, request: Request<Incoming>) -> Result<Reply, Reply> {
        self.door.lets_in(request.uri(), request.headers()).map_err(refused)?;
        if request.uri().path() != PATH {
            return Err(refused(StatusCode::NOT_FOUND));
        }
        if request.method() != Method::POST {
            return Err(with(refused(StatusCode::METHOD_NOT_ALLOWED), ALLOW, HeaderValue::from_static("POST")));
        }
        let token = bearer(request.headers()).ok_or_else(unknown)?;
        let id = token.id().to_owned();
        let caller = self.judged(token).await?;
        self.requests.take(&id, Instant::now()).map_err(|wait| later(StatusCode::TOO_MANY_REQUESTS, wait))?;
        let who = holder(Some(&caller));
        let (mut parts, body) = request.into_parts();
        // Nothing behind this needs to know it.
        parts.headers.remove(AUTHORIZATION);
        parts.extensions.insert(caller);
        let (body, room) = self.read(&who, body).await?;
        let reply = self.service.handle(Request::from_parts(parts, Full::new(body))).await;
        drop(room);
        Ok(reply)
    }

    /// Whose request this is, by a token that holds at this moment.
    async fn judged(self: &Arc<Self>, token: TokenText) -> Result<Caller, Reply> {
        let way = self.clone();
        // Reading the registry keeps no other request waiting.
        let judged = tokio::task::spawn_blocking(move || way.holder(&token)).await;
        let trouble = || refused(StatusCode::SERVICE_UNAVAILABLE);
        match judged.map_err(|_| trouble())? {
            Ok(caller) => caller.ok_or_else(unknown),
            Err(fault) => {
                self.server.narrate(&format!("the host's own trouble: {fault}"));
                Err(trouble())
            }
        }
    }

    /// The holder of a token; `None` if it does not hold, which is recorded unless that happens too often.
    fn holder(&self, token: &TokenText) -> Result<Option<Caller>, Fault> {
        let hall = self.server.halls().now()?;
        let denial = match hall.holder_by_token(token) {
            Ok(caller) => return Ok(Some(caller)),
            Err(Refused::Fault(fault)) => return Err(fault),
            Err(Refused::Denied { denial, .. }) => denial,
        };
        if denial.code == Code::RegistryUnreachable {
            let hint = "see hall doctor".to_owned();
            return Err(Fault::Known { message: denial.message, hint });
        }
        if self.recorded.take("", Instant::now()).is_ok() {
            self.server.narrate(&format!("a token was refused: {}", denial.message));
            if let Ok(now) = hall.now() {
                let mut event = hall.event(EventKind::SkillDeny, now);
                (event.organisation, event.caller) = (None, None);
                event.data.remove("as");
                let _ = hall.deny(&event, denial);
            }
        }
        Ok(None)
    }

    /// The whole body, and the room that it takes. What has not come takes none.
    async fn read(&self, who: &str, mut body: Incoming) -> Result<(Bytes, Vec<Share>), Reply> {
        let too_long = || refused(StatusCode::PAYLOAD_TOO_LARGE);
        if body.size_hint().lower() > LONGEST as u64 {
            return Err(too_long());
        }
        let (mut bytes, mut room, mut have) = (Vec::new(), Vec::new(), 0);
        let end = tokio::time::Instant::now() + BODY;
        loop {
            let frame = match tokio::time::timeout_at(end, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(None) => return Ok((bytes.into(), room)),
                Ok(Some(Err(_))) => return Err(refused(StatusCode::BAD_REQUEST)),
                Err(_) => return Err(refused(StatusCode::REQUEST_TIMEOUT)),
            };
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len().saturating_add(data.len());
            if length > LONGEST {
                return Err(too_long());
            }
            let needed = u32::try_from(length.div_ceil(PIECE)).map_err(|_| too_long())?;
            if needed > have {
                let status = |gone| match gone {
                    Gone::Own => StatusCode::TOO_MANY_REQUESTS,
                    Gone::All => StatusCode::SERVICE_UNAVAILABLE,
                };
                let more = self.bodies.take(who, needed - have);
                room.push(more.map_err(|gone| later(status(gone), Duration::from_secs(1)))?);
                have = needed;
            }
            bytes.extend_from_slice(&data);
        }
    }
}

fn has_port(origin: &str) -> bool {
    origin.parse::<http::Uri>().is_ok_and(|origin| origin.port().is_some())
}

/// An answer that says nothing but its status, and ends the connection: what is left of the request is not read.
fn refused(status: StatusCode) -> Reply {
    let mut reply = Response::new(Empty::new().boxed());
    *reply.status_mut() = status;
    with(reply, CONNECTION, HeaderValue::from_static("close"))
}

/// No token, or none that holds: which it is, is not told.
fn unknown() -> Reply {
    with(refused(StatusCode::UNAUTHORIZED), WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

fn later(status: StatusCode, wait: Duration) -> Reply {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    with(refused(status), RETRY_AFTER, HeaderValue::from(seconds.max(1)))
}

fn with(mut reply: Reply, name: HeaderName, value: HeaderValue) -> Reply {
    reply.headers_mut().insert(name, value);
    reply
}

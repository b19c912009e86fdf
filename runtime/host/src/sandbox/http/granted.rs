//! `wasi:http`, outgoing, for a guest that was granted origins. Every request goes to the broker; nothing here reaches a
//! network. What a guest would be called with (incoming requests, response outparams) is linked with the types, and no
//! function ever hands one out.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use hyper::header::HeaderName;
use hyper::{Request, Response};
use wasmtime::Result;
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::{LinkOptions, http};
use wasmtime_wasi_http::{
    ForbiddenHeaderFilter, RequestOptions, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::sandbox::egress::headers::is_forbidden;
use crate::sandbox::egress::{Body, HttpError, Timeouts, origin_of};
use crate::sandbox::traffic::Traffic;
use crate::sandbox::{Broker, Guest};

/// The most bytes of one set of headers, with what they cost in memory.
const FIELDS: usize = 64 * 1024;
/// The most bytes of one write to a body. Two of them wait at most.
const CHUNK: usize = 16 * 1024;

/// Links the interfaces.
pub(in crate::sandbox) fn link(linker: &mut Linker<Guest>) -> Result<()> {
    let options = LinkOptions::default();
    http::types::add_to_linker::<Guest, WasiHttp>(linker, &(&options).into(), Guest::http)?;
    http::outgoing_handler::add_to_linker::<Guest, WasiHttp>(linker, Guest::http)
}

/// What a guest's requests need on the host's side.
pub(in crate::sandbox) struct Outgoing {
    context: WasiHttpCtx,
    hooks: Hooks,
}

struct Hooks {
    broker: Arc<dyn Broker>,
    traffic: Arc<Traffic>,
}

impl Outgoing {
    pub(in crate::sandbox) fn new(broker: Arc<dyn Broker>, traffic: Arc<Traffic>) -> Self {
        let mut context = WasiHttpCtx::new();
        context.set_field_size_limit(FIELDS);
        Self { context, hooks: Hooks { broker, traffic } }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        self.meter.host_call();
        WasiHttpCtxView { hooks: &mut self.outgoing.hooks, table: &mut self.table, ctx: &mut self.outgoing.context }
    }
}

/// A response, and what has to be polled while its body is read.
type Answer = (Response<Body>, Box<dyn Future<Output = std::result::Result<(), HttpError>> + Send>);
type Answering = Box<dyn Future<Output = std::result::Result<Answer, HttpError>> + Send>;

impl WasiHttpHooks for Hooks {
    fn is_forbidden_header(&mut self, name: &HeaderName) -> bool {
        is_forbidden(name)
    }

    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(is_forbidden)
    }

    /// The broker sets it, to what was decided.
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn p2_outgoing_body_chunk_size(&mut self) -> usize {
        CHUNK
    }

    fn send_request(
        &mut self,
        request: Request<Body>,
        options: Option<RequestOptions>,
        _ended: Box<dyn Future<Output = std::result::Result<(), HttpError>> + Send>,
    ) -> Answering {
        let options = options.unwrap_or_default();
        let timeouts = Timeouts {
            connect: options.connect_timeout,
            first_byte: options.first_byte_timeout,
            between_bytes: options.between_bytes_timeout,
        };
        let (origin, traffic) = (origin_of(&request), Arc::clone(&self.traffic));
        if traffic.request(&origin).is_err() {
            return Box::new(ready(Err(HttpError::HttpRequestDenied)));
        }
        let sending = match self.broker.send(request, timeouts, Arc::clone(&traffic)) {
            Ok(sending) => sending,
            Err(unsent) => return Box::new(ready(Err(note(&traffic, &origin, unsent)))),
        };
        Box::new(async move {
            let exchange = sending.await.map_err(|unsent| note(&traffic, &origin, unsent))?;
            let connection: Pin<Box<dyn Future<Output = _> + Send>> = exchange.connection;
            Ok::<Answer, HttpError>((exchange.response, Box::new(connection)))
        })
    }
}

/// Keeps a refusal for the receipt, and gives what the guest is told.
fn note(traffic: &Traffic, origin: &str, unsent: crate::sandbox::egress::Unsent) -> HttpError {
    if let Some(refusal) = unsent.refusal {
        traffic.refused(origin, *refusal);
    }
    unsent.told
}

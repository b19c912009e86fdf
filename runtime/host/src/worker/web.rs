//! Requests and responses as messages.

use std::time::Duration;

use hyper::body::{Body as _, Bytes, Frame};
use hyper::header::{HeaderName, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme, Uri};
use hyper::{HeaderMap, Method, Request, Response};
use serde::{Deserialize, Serialize};

use crate::sandbox::egress::{Body, HttpError, Timeouts};

/// The most bytes of one piece of a body. A longer one is cut.
pub(super) const PIECE: usize = 256 << 10;

type Headers = Vec<(String, Vec<u8>)>;

/// A request without its body.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Asked {
    method: String,
    scheme: Option<String>,
    authority: Option<String>,
    target: Option<String>,
    headers: Headers,
    pub(super) size: Size,
    connect: Option<Duration>,
    first_byte: Option<Duration>,
    between_bytes: Option<Duration>,
}

/// What is known of the length of a body.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Size {
    /// There is none.
    pub(super) ended: bool,
    /// Exactly so many bytes.
    pub(super) exact: Option<u64>,
}

impl Size {
    fn of(body: &Body) -> Self {
        Self { ended: body.is_end_stream(), exact: body.size_hint().exact() }
    }
}

/// The head of a response, or why there is none.
pub(super) type Answered = Result<Head, Wrong>;

/// The head of a response.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    status: u16,
    headers: Headers,
    pub(super) size: Size,
}

/// A piece of a body.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Piece {
    Data(Vec<u8>),
    Trailers(Headers),
    End,
    Failed(Wrong),
}

impl Asked {
    pub(super) fn of(request: &Request<Body>, timeouts: Timeouts) -> Self {
        let uri = request.uri();
        let Timeouts { connect, first_byte, between_bytes } = timeouts;
        Self {
            method: request.method().as_str().to_owned(),
            scheme: uri.scheme_str().map(str::to_owned),
            authority: uri.authority().map(|authority| authority.as_str().to_owned()),
            target: uri.path_and_query().map(|target| target.as_str().to_owned()),
            headers: listed(request.headers()),
            size: Size::of(request.body()),
            connect,
            first_byte,
            between_bytes,
        }
    }

    /// The request with this body; `None` if it is none.
    pub(super) fn with(self, body: Body) -> Option<(Request<Body>, Timeouts)> {
        let mut parts = hyper::http::uri::Parts::default();
        parts.scheme = self.scheme.map(|scheme| scheme.parse::<Scheme>()).transpose().ok()?;
        parts.authority = self.authority.map(|authority| authority.parse::<Authority>()).transpose().ok()?;
        parts.path_and_query = self.target.map(|target| target.parse::<PathAndQuery>()).transpose().ok()?;
        let mut request = Request::new(body);
        *request.method_mut() = Method::from_bytes(self.method.as_bytes()).ok()?;
        *request.uri_mut() = Uri::from_parts(parts).ok()?;
        *request.headers_mut() = map(self.headers)?;
        let timeouts = Timeouts { connect: self.connect, first_byte: self.first_byte, between_bytes: self.between_bytes };
        Some((request, timeouts))
    }
}

impl Head {
    pub(super) fn of(response: &Response<Body>) -> Self {
        Self { status: response.status().as_u16(), headers: listed(response.headers()), size: Size::of(response.body()) }
    }

    /// The response with this body; `None` if it is none.
    pub(super) fn with(self, body: Body) -> Option<Response<Body>> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status.try_into().ok()?;
        *response.headers_mut() = map(self.headers)?;
        Some(response)
    }
}

impl Piece {
    /// What a body gave; what is left over of a piece that is too long for one comes with it.
    pub(super) fn of(frame: Option<Result<Frame<Bytes>, HttpError>>) -> (Self, Option<Bytes>) {
        let frame = match frame {
            None => return (Self::End, None),
            Some(Err(error)) => return (Self::Failed(error.into()), None),
            Some(Ok(frame)) => frame,
        };
        match frame.into_data() {
            Ok(mut data) => {
                let rest = data.split_off(data.len().min(PIECE));
                (Self::Data(data.to_vec()), (!rest.is_empty()).then_some(rest))
            }
            Err(frame) => (frame.into_trailers().map_or(Self::End, |trailers| Self::Trailers(listed(&trailers))), None),
        }
    }

    /// What it is of a body; `None` at its end.
    pub(super) fn frame(self) -> Option<Result<Frame<Bytes>, HttpError>> {
        match self {
            Self::Data(data) => Some(Ok(Frame::data(data.into()))),
            Self::Trailers(headers) => Some(map(headers).map(Frame::trailers).ok_or(HttpError::HttpProtocolError)),
            Self::End => None,
            Self::Failed(wrong) => Some(Err(wrong.into())),
        }
    }

    /// Whether another can follow.
    pub(super) fn is_last(&self) -> bool {
        matches!(self, Self::End | Self::Failed(_))
    }

    /// Whether a piece of this length can be.
    pub(super) fn is_short(&self) -> bool {
        match self {
            Self::Data(data) => data.len() <= PIECE,
            Self::Trailers(_) | Self::End | Self::Failed(_) => true,
        }
    }
}

fn listed(headers: &HeaderMap) -> Headers {
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect()
}

fn map(headers: Headers) -> Option<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let (name, value) = (HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(&value).ok()?);
        map.try_append(name, value).ok()?;
    }
    Some(map)
}

macro_rules! wrongs {
    ($($plain:ident,)* ; $($sized:ident($size:ty),)*) => {
        /// What a guest is told of a request that has no answer. What nobody here says is told as trouble of the host's.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub(super) enum Wrong {
            $($plain,)*
            $($sized(Option<$size>),)*
            Dns(Option<String>, Option<u16>),
            Internal,
        }

        impl From<HttpError> for Wrong {
            fn from(error: HttpError) -> Self {
                match error {
                    $(HttpError::$plain => Self::$plain,)*
                    $(HttpError::$sized(size) => Self::$sized(size),)*
                    HttpError::DnsError { rcode, info_code } => Self::Dns(rcode, info_code),
                    _ => Self::Internal,
                }
            }
        }

        impl From<Wrong> for HttpError {
            fn from(wrong: Wrong) -> Self {
                match wrong {
                    $(Wrong::$plain => Self::$plain,)*
                    $(Wrong::$sized(size) => Self::$sized(size),)*
                    Wrong::Dns(rcode, info_code) => Self::DnsError { rcode, info_code },
                    Wrong::Internal => Self::InternalError(None),
                }
            }
        }
    };
}

wrongs! {
    DnsTimeout, DestinationNotFound, DestinationUnavailable, DestinationIpProhibited, DestinationIpUnroutable, ConnectionRefused,
    ConnectionTerminated, ConnectionTimeout, ConnectionReadTimeout, ConnectionWriteTimeout, ConnectionLimitReached,
    TlsProtocolError, TlsCertificateError, HttpRequestDenied, HttpRequestLengthRequired, HttpRequestMethodInvalid,
    HttpRequestUriInvalid, HttpRequestUriTooLong, HttpResponseIncomplete, HttpResponseTimeout, HttpUpgradeFailed,
    HttpProtocolError, LoopDetected, ConfigurationError,
    ;
    HttpRequestBodySize(u64), HttpRequestHeaderSectionSize(u32), HttpRequestTrailerSectionSize(u32),
    HttpResponseHeaderSectionSize(u32), HttpResponseBodySize(u64), HttpResponseTrailerSectionSize(u32),
}

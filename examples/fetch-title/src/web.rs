//! A request by way of `wasi:http`. Whether it may be sent, the host decides.

use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{ErrorCode, Fields, FutureIncomingResponse, IncomingResponse, OutgoingRequest, Scheme};
use wasip2::io::streams::StreamError;

use crate::bindings::exports::skillhall::fetch_title::api::FetchError;
use crate::title::{Answer, MAX_BYTES};
use crate::url::Url;

const PIECE: u64 = 64 * 1024;

/// Sends GET and reads the answer.
pub(crate) fn get(url: &Url) -> Result<Answer, FetchError> {
    let response = send(url)?;
    let header = |name: &str| {
        let value = response.headers().get(name).into_iter().next()?;
        // A header that is no ASCII says nothing that is understood here.
        String::from_utf8(value).ok().filter(|value| value.is_ascii())
    };
    let (status, content_type, location) = (response.status(), header("content-type"), header("location"));
    let body = if location.is_some() && (300..400).contains(&status) { Vec::new() } else { read(&response)? };
    Ok(Answer { status, content_type, location, body })
}

fn send(url: &Url) -> Result<IncomingResponse, FetchError> {
    let headers = Fields::new();
    for (name, value) in [
        ("accept", "text/html, application/xhtml+xml"),
        ("accept-encoding", "identity"),
        ("user-agent", concat!("skillhall-fetch-title/", env!("CARGO_PKG_VERSION"))),
    ] {
        headers.append(name, value.as_bytes()).map_err(|error| FetchError::Refused(error.to_string()))?;
    }
    let request = OutgoingRequest::new(headers);
    let invalid = |()| FetchError::InvalidUrl("the host takes it for no URL".to_owned());
    request.set_scheme(Some(if url.secure { &Scheme::Https } else { &Scheme::Http })).map_err(invalid)?;
    request.set_authority(Some(&url.authority)).map_err(invalid)?;
    request.set_path_with_query(Some(&url.target)).map_err(invalid)?;
    let future = handle(request, None).map_err(|error| told(&error))?;
    wait(&future)?.map_err(|error| told(&error))
}

fn wait(future: &FutureIncomingResponse) -> Result<Result<IncomingResponse, ErrorCode>, FetchError> {
    let ready = future.subscribe();
    loop {
        match future.get() {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(())) => return Err(FetchError::Unreachable("internal-error".to_owned())),
            None => ready.block(),
        }
    }
}

/// The body, or a little more of it than is wanted.
fn read(response: &IncomingResponse) -> Result<Vec<u8>, FetchError> {
    let lost = || FetchError::Unreachable("HTTP-response-incomplete".to_owned());
    let body = response.consume().map_err(|()| lost())?;
    let stream = body.stream().map_err(|()| lost())?;
    let mut bytes = Vec::new();
    while bytes.len() <= MAX_BYTES as usize {
        match stream.blocking_read(PIECE) {
            Ok(piece) => bytes.extend(piece),
            Err(StreamError::Closed) => break,
            Err(StreamError::LastOperationFailed(error)) => {
                let code = wasip2::http::types::http_error_code(&error);
                return Err(code.as_ref().map_or_else(lost, told));
            }
        }
    }
    Ok(bytes)
}

/// An error by its name in wasi:http.
fn told(error: &ErrorCode) -> FetchError {
    let refused = |name: &str| FetchError::Refused(name.to_owned());
    let unreachable = |name: &str| FetchError::Unreachable(name.to_owned());
    match error {
        ErrorCode::HttpRequestDenied => refused("HTTP-request-denied"),
        ErrorCode::DestinationIpProhibited => refused("destination-IP-prohibited"),
        ErrorCode::ConnectionLimitReached => refused("connection-limit-reached"),
        ErrorCode::HttpRequestUriTooLong => refused("HTTP-request-URI-too-long"),
        ErrorCode::HttpRequestUriInvalid => FetchError::InvalidUrl("the host takes it for no URL".to_owned()),
        ErrorCode::DnsTimeout => unreachable("DNS-timeout"),
        ErrorCode::DnsError(_) => unreachable("DNS-error"),
        ErrorCode::DestinationUnavailable => unreachable("destination-unavailable"),
        ErrorCode::ConnectionRefused => unreachable("connection-refused"),
        ErrorCode::ConnectionTerminated => unreachable("connection-terminated"),
        ErrorCode::ConnectionTimeout => unreachable("connection-timeout"),
        ErrorCode::ConnectionReadTimeout => unreachable("connection-read-timeout"),
        ErrorCode::TlsProtocolError => unreachable("TLS-protocol-error"),
        ErrorCode::TlsCertificateError => unreachable("TLS-certificate-error"),
        ErrorCode::HttpResponseIncomplete => unreachable("HTTP-response-incomplete"),
        ErrorCode::HttpResponseHeaderSectionSize(_) => unreachable("HTTP-response-header-section-size"),
        ErrorCode::HttpResponseBodySize(_) => unreachable("HTTP-response-body-size"),
        ErrorCode::HttpResponseTimeout => unreachable("HTTP-response-timeout"),
        ErrorCode::HttpUpgradeFailed => unreachable("HTTP-upgrade-failed"),
        ErrorCode::HttpProtocolError => unreachable("HTTP-protocol-error"),
        _ => unreachable("internal-error"),
    }
}

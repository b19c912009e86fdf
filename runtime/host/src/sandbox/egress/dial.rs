//! From an origin to a connection: resolved once, every address looked at, and what was looked at is what is dialled.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::ServerName;

use super::HttpError;
use super::decide::{Allowed, Host};
use super::network::{Network, Resolve};
use crate::sandbox::address::is_public;

/// The most addresses of one name that are tried.
const TRIED: usize = 8;

/// Something that bytes go through.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Undialled {
    /// The name leads to these addresses, and none of them may be dialled.
    Prohibited(Vec<IpAddr>),
    /// It failed.
    Failed(HttpError),
}

impl From<HttpError> for Undialled {
    fn from(error: HttpError) -> Self {
        Self::Failed(error)
    }
}

/// A connection to where the request may go; through TLS, if the scheme says so.
pub(super) async fn dial(allowed: &Allowed, network: &Network, until: Instant) -> Result<Box<dyn Stream>, Undialled> {
    let addresses = addresses(&allowed.host, &allowed.addresses, network.resolver(), until).await?;
    let stream = connect(&addresses, allowed.port, until).await?;
    if !allowed.tls {
        return Ok(Box::new(stream));
    }
    let name = match &allowed.host {
        Host::Name(name) => ServerName::try_from(name.clone()).map_err(|_| HttpError::HttpRequestUriInvalid)?,
        Host::Address(address) => ServerName::from(*address),
    };
    let connecting = TlsConnector::from(network.tls()).connect(name, stream);
    match timeout_at(until, connecting).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(untrusted(&error).into()),
        Err(_) => Err(HttpError::ConnectionTimeout.into()),
    }
}

/// The addresses that may be dialled: all that the name leads to, without those that are neither public nor named.
async fn addresses(host: &Host, named: &[IpAddr], resolver: &dyn Resolve, until: Instant) -> Result<Vec<IpAddr>, Undialled> {
    let found = match host {
        Host::Address(address) => vec![*address],
        Host::Name(name) => match timeout_at(until, resolver.resolve(name)).await {
            Ok(Ok(found)) => found,
            Ok(Err(_)) => return Err(unresolved().into()),
            Err(_) => return Err(HttpError::DnsTimeout.into()),
        },
    };
    if found.is_empty() {
        return Err(unresolved().into());
    }
    let (mut allowed, mut refused): (Vec<IpAddr>, Vec<IpAddr>) =
        found.into_iter().partition(|address| is_public(*address) || named.contains(address));
    if allowed.is_empty() {
        refused.truncate(TRIED);
        return Err(Undialled::Prohibited(refused));
    }
    allowed.truncate(TRIED);
    Ok(allowed)
}

fn unresolved() -> HttpError {
    HttpError::DnsError { rcode: None, info_code: None }
}

/// The first address that answers; each gets its share of the time that is left.
async fn connect(addresses: &[IpAddr], port: u16, until: Instant) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::ConnectionTimeout;
    for (index, address) in addresses.iter().enumerate() {
        let left = u32::try_from(addresses.len().saturating_sub(index)).unwrap_or(u32::MAX);
        let share = until.saturating_duration_since(Instant::now()).checked_div(left).unwrap_or(Duration::ZERO);
        match tokio::time::timeout(share, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = unconnected(&error),
            Err(_) => last = HttpError::ConnectionTimeout,
        }
    }
    Err(last)
}

fn unconnected(error: &io::Error) -> HttpError {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => HttpError::ConnectionRefused,
        io::ErrorKind::TimedOut => HttpError::ConnectionTimeout,
        _ => HttpError::DestinationUnavailable,
    }
}

fn untrusted(error: &io::Error) -> HttpError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => HttpError::TlsCertificateError,
        Some(_) => HttpError::TlsProtocolError,
        None => HttpError::ConnectionTerminated,
    }
}

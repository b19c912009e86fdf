//! May this request be sent? Pure, and total: for every request there is an answer, and it is no unless a grant says yes.

use std::net::{IpAddr, Ipv6Addr};

use skillhall_core::capability::Ask;
use skillhall_core::capability::http::{self, Grant, Method, is_within};

use super::target::{self, Flaw};
use super::{HttpError, Unsent};
use crate::sandbox::refusal::{Reason, Refusal};

/// A request as a guest asks for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) scheme: &'a str,
    pub(super) authority: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
}

/// A request that may be sent, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Allowed {
    pub(super) method: Method,
    pub(super) tls: bool,
    pub(super) host: Host,
    pub(super) port: u16,
    /// What the header `host` says.
    pub(super) authority: String,
    /// What the request line says: path and query.
    pub(super) target: String,
    /// Addresses that are not public and count all the same.
    pub(super) addresses: Vec<IpAddr>,
}

impl Allowed {
    /// The origin that was granted, as it is spelled there.
    pub(super) fn origin(&self) -> String {
        format!("{}://{}", if self.tls { "https" } else { "http" }, self.authority)
    }
}

/// Whom an origin names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// To be resolved.
    Name(String),
    /// The address itself.
    Address(IpAddr),
}

pub(super) const METHODS: [Method; 7] =
    [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Options];

/// The decision. What counts is the exact spelling: an origin as the grant spells it (but for a port that is the scheme's
/// own), a path that means the same to whoever reads it.
pub(super) fn decide(grants: &[Grant], asked: &Asked<'_>) -> Result<Allowed, Unsent> {
    let refuse = |reason, message: &str| Err(refusal(grants, asked, reason, message, HttpError::HttpRequestDenied));
    if asked.authority.contains('@') {
        return refuse(Reason::Spelling, "the authority has a user in it, and no origin has");
    }
    let origin = origin(asked.scheme, asked.authority);
    let of_origin: Vec<&Grant> = grants.iter().filter(|grant| grant.origin == origin).collect();
    let Some(place) = of_origin.first().and_then(|grant| place(&grant.origin)) else {
        let message = match grants.iter().find(|grant| grant.origin == plain(&origin)) {
            Some(grant) => format!("it has to be spelled exactly so: {}", grant.origin),
            None => "this origin is not granted".to_owned(),
        };
        return refuse(Reason::Origin, &message);
    };
    let Some(method) = METHODS.into_iter().find(|method| method.as_str() == asked.method) else {
        return refuse(Reason::Method, "no skill can be granted this method");
    };
    let (path, query) = match target::read(asked.target) {
        Ok(read) => read,
        Err(Flaw::Long) => {
            let message = format!("path and query are longer than {} bytes", target::MAX_BYTES);
            return Err(refusal(grants, asked, Reason::Size, &message, HttpError::HttpRequestUriTooLong));
        }
        Err(Flaw::Spelling(rule)) => return refuse(Reason::Spelling, rule),
    };
    let of_method: Vec<&Grant> = of_origin.into_iter().filter(|grant| grant.methods.contains(&method)).collect();
    if of_method.is_empty() {
        return refuse(Reason::Method, "the method is not granted for this origin");
    }
    let Some(grant) = of_method.into_iter().find(|grant| grant.paths.iter().any(|prefix| is_within(path, prefix))) else {
        return refuse(Reason::Path, "the path lies under no granted prefix");
    };
    let target = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let Place { tls, host, port, authority } = place;
    Ok(Allowed { method, tls, host, port, authority, target, addresses: grant.addresses.clone() })
}

/// An origin taken apart.
struct Place {
    tls: bool,
    host: Host,
    port: u16,
    authority: String,
}

/// Takes apart an origin that is spelled as a grant spells it.
fn place(origin: &str) -> Option<Place> {
    let (scheme, authority) = origin.split_once("://")?;
    let tls = match scheme {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port.parse().ok()?),
        _ => (authority, own_port(scheme)?),
    };
    let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => Host::Address(IpAddr::V6(address.parse::<Ipv6Addr>().ok()?)),
        None => host.parse().map_or_else(|_| Host::Name(host.to_owned()), |address| Host::Address(IpAddr::V4(address))),
    };
    Some(Place { tls, host, port, authority: authority.to_owned() })
}

/// The origin of a request, without a port that is the scheme's own. Nothing else about the spelling is changed.
pub(super) fn origin(scheme: &str, authority: &str) -> String {
    let authority = match (authority.rsplit_once(':'), own_port(scheme)) {
        (Some((host, port)), Some(own)) if port == own.to_string() => host,
        _ => authority,
    };
    format!("{scheme}://{authority}")
}

/// An authority as it may be kept: a user in it can be a secret.
pub(super) fn without_user(authority: &str) -> String {
    authority.rsplit_once('@').map_or_else(|| authority.to_owned(), |(_, host)| format!("…@{host}"))
}

fn own_port(scheme: &str) -> Option<u16> {
    match scheme {
        "https" => Some(443),
        "http" => Some(80),
        _ => None,
    }
}

/// What an origin might have been meant to be, for the hint.
fn plain(origin: &str) -> String {
    origin.to_lowercase().replace(".:", ":").trim_end_matches('.').to_owned()
}

/// What would have to be asked for, if it can be asked for.
struct Meant<'a> {
    origin: String,
    method: Method,
    path: &'a str,
}

fn meant<'a>(asked: &Asked<'_>, path: &'a str) -> Option<Meant<'a>> {
    let method = METHODS.into_iter().find(|method| method.as_str() == asked.method)?;
    let origin = origin(asked.scheme, asked.authority);
    let ask = http::Ask { origin: origin.clone(), methods: vec![method], paths: vec![path.to_owned()] };
    ask.validate().is_ok().then_some(Meant { origin, method, path })
}

/// The line of skill.toml, and the one that grants it beside what is granted for the origin.
fn lines(grants: &[Grant], meant: Meant<'_>) -> String {
    let Meant { origin, method, path } = meant;
    let asks = format!("http = [{{ origin = \"{origin}\", methods = [\"{}\"], paths = [\"{path}\"] }}]", method.as_str());
    let (mut methods, mut paths, mut addresses) = (vec![method], vec![path.to_owned()], String::new());
    for grant in grants.iter().filter(|grant| grant.origin == origin) {
        methods.extend(grant.methods.iter().filter(|method| !methods.contains(method)).copied().collect::<Vec<_>>());
        paths.extend(grant.paths.iter().filter(|path| !paths.contains(path)).cloned().collect::<Vec<_>>());
        addresses.extend(grant.addresses.iter().map(|address| format!(" --address {address}")));
    }
    let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    let flags = format!("--http {origin} --methods {} --paths {}{addresses}", methods.join(","), paths.join(","));
    format!("If it is meant, skill.toml asks for it: {asks}; the operator grants it: hall grant NAMESPACE/NAME {flags}")
}

/// A refusal that says what was asked (without the query) and what is granted.
pub(super) fn refusal(grants: &[Grant], asked: &Asked<'_>, reason: Reason, message: &str, told: HttpError) -> Unsent {
    let path = asked.target.split(['?', '#']).next().unwrap_or_default();
    let line = format!("{} {}://{}{path}", asked.method, asked.scheme, without_user(asked.authority));
    let granted = match grants {
        [] => "nothing".to_owned(),
        grants => grants.iter().map(Ask::line).collect::<Vec<_>>().join("; "),
    };
    let hint = match reason {
        Reason::Origin | Reason::Method | Reason::Path => match meant(asked, path) {
            Some(meant) => format!("Granted is: {granted}. {}", lines(grants, meant)),
            None => format!("Granted is: {granted}. What this names, no skill can ask for."),
        },
        Reason::Spelling => format!(
            "Write the URL in its plain form: a host in lower case, no user, no '.' or '..' or empty segment. Granted is: {granted}."
        ),
        _ => format!("Granted is: {granted}."),
    };
    Unsent::refused(told, Refusal::new(Grant::CAPABILITY, reason, &line, message, hint))
}

#[cfg(test)]
mod tests;

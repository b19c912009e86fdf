//! Who may knock? A request that was meant for this server, from no web page of another; and the token that it shows.

use std::net::IpAddr;

use http::header::{AUTHORIZATION, HOST, HeaderName, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, StatusCode, Uri};
use skillhall_core::registry::token::TokenText;

/// By which names this machine reaches itself. None of them can be made to mean another.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The names by which the server may be called. A web page whose name was made to mean this machine (DNS rebinding) calls it by a
/// name that is not there.
#[derive(Clone, Debug)]
pub struct Door {
    names: Vec<Authority>,
}

impl Door {
    /// The names of the loopback, and the address that the server is bound to unless that is every one.
    #[must_use]
    pub fn at(address: IpAddr) -> Self {
        let bound = match address {
            _ if address.is_unspecified() => None,
            IpAddr::V4(address) => Some(address.to_string()),
            IpAddr::V6(address) => Some(format!("[{address}]")),
        };
        let names = LOOPBACK.map(str::to_owned).into_iter().chain(bound);
        Self { names: names.filter_map(|name| name.parse().ok()).collect() }
    }

    /// Adds a name, with a port if no other counts. `None` if it is none.
    #[must_use]
    pub fn with(mut self, name: &str) -> Option<Self> {
        self.names.push(authority(name)?);
        Some(self)
    }

    /// The names, as they are compared.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(Authority::as_str)
    }

    /// Whether a request is for this server, and from no page of another.
    ///
    /// # Errors
    /// What it is answered with.
    pub(crate) fn lets_in(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), StatusCode> {
        let host = match only(headers, &HOST) {
            Some(Some(host)) => authority(host).ok_or(StatusCode::BAD_REQUEST)?,
            _ => return Err(StatusCode::BAD_REQUEST),
        };
        let is_meant = |asked: &Authority| {
            let same = |name: &Authority| {
                name.host().eq_ignore_ascii_case(asked.host())
                    && name.port_u16().is_none_or(|port| asked.port_u16() == Some(port))
            };
            self.names.iter().any(same)
        };
        if !is_meant(&host) || uri.authority().is_some_and(|named| !is_meant(named)) {
            return Err(StatusCode::FORBIDDEN);
        }
        // The only origin that is not foreign is the server itself, which has no pages.
        match only(headers, &ORIGIN) {
            None => Ok(()),
            Some(Some(origin)) if is_of(origin, &host) => Ok(()),
            Some(_) => Err(StatusCode::FORBIDDEN),
        }
    }
}

/// The token that a request shows, if it shows one and one only.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<TokenText> {
    let (scheme, token) = only(headers, &AUTHORIZATION)??.split_once(' ')?;
    let token = token.trim_start_matches(' ');
    scheme.eq_ignore_ascii_case("bearer").then(|| TokenText::parse(token).ok())?
}

/// A header that may be there once: `None` without it, `Some(None)` if it is there twice or is no text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<Option<&'a str>> {
    let mut all = headers.get_all(name).iter();
    let first = all.next()?;
    Some(first.to_str().ok().filter(|_| all.next().is_none()))
}

/// A name with or without a port; nothing before an `@`.
fn authority(text: &str) -> Option<Authority> {
    let parsed: Authority = text.parse().ok()?;
    let rest = parsed.as_str().strip_prefix(parsed.host())?;
    let is_whole = rest.is_empty() || (rest.starts_with(':') && parsed.port_u16().is_some());
    (is_whole && !parsed.host().is_empty()).then_some(parsed)
}

/// Whether an origin is of this host: what stands after its scheme is the same.
fn is_of(origin: &str, host: &Authority) -> bool {
    let of = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    of.is_some_and(|of| of.eq_ignore_ascii_case(host.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(host: &str, origin: Option<&str>) -> Result<(), StatusCode> {
        let door =
            Door::at("127.0.0.1".parse().unwrap()).with("hall.example.org").unwrap().with("other.example.org:8443").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        origin.map(|origin| headers.insert(ORIGIN, origin.parse().unwrap()));
        door.lets_in(&"/mcp".parse().unwrap(), &headers)
    }

    #[test]
    fn names_of_this_server_are_let_in_and_no_other() {
        for host in ["localhost", "LocalHost:80", "127.0.0.1:7000", "[::1]:7000", "hall.example.org", "other.example.org:8443"] {
            assert_eq!(asked(host, None), Ok(()), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "other.example.org", "localhost."] {
            assert_eq!(asked(host, None), Err(StatusCode::FORBIDDEN), "{host}");
        }
        for host in ["", "evil@localhost", "localhost/", "localhost:x", "localhost:", "localhost:99999", "::1", "a b"] {
            assert_eq!(asked(host, None), Err(StatusCode::BAD_REQUEST), "{host}");
        }
    }

    #[test]
    fn an_origin_is_of_this_server_or_foreign() {
        assert_eq!(asked("localhost:7", Some("http://localhost:7")), Ok(()));
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:8",
            "http://evil.example",
            "file://",
            "http://localhost:7/",
            "localhost:7",
        ] {
            assert_eq!(asked("localhost:7", Some(origin)), Err(StatusCode::FORBIDDEN), "{origin}");
        }
    }

    #[test]
    fn a_host_that_is_said_twice_or_otherwise_in_the_target_is_not_let_in() {
        let door = Door::at("127.0.0.1".parse().unwrap());
        let mut headers = HeaderMap::new();
        assert_eq!(door.lets_in(&"/mcp".parse().unwrap(), &headers), Err(StatusCode::BAD_REQUEST));
        headers.append(HOST, "localhost".parse().unwrap());
        assert_eq!(door.lets_in(&"http://evil.example/mcp".parse().unwrap(), &headers), Err(StatusCode::FORBIDDEN));
        headers.append(HOST, "localhost".parse().unwrap());
        assert_eq!(door.lets_in(&"/mcp".parse().unwrap(), &headers), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn one_token_is_shown_as_a_bearer_does() {
        let token = TokenText::generate().unwrap();
        let shown = |values: &[String]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(|shown| shown.id().to_owned())
        };
        let good = format!("Bearer {}", token.reveal());
        assert_eq!(shown(std::slice::from_ref(&good)).as_deref(), Some(token.id()));
        assert_eq!(shown(&[good.to_lowercase()]).as_deref(), Some(token.id()));
        for bad in [
            vec![],
            vec![good.clone(), good.clone()],
            vec![token.reveal().to_owned()],
            vec![good.replace("Bearer", "Basic")],
            vec![format!("{good},")],
            vec!["Bearer ".to_owned()],
        ] {
            assert_eq!(shown(&bad), None, "{bad:?}");
        }
    }
}

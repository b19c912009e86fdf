//! The headers of a request: the skill's own, and those that only the host sets.

use hyper::HeaderMap;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue};

/// The most headers of a request or a response.
pub(super) const MAX_COUNT: usize = 100;
/// The most bytes of names and values of a request, and of the head of a response.
pub(super) const MAX_BYTES: usize = 32 * 1024;

/// Names that are the host's: they frame the message, belong to the connection, or speak to a proxy (RFC 9110, section
/// 7.6.1). `content-length` may be stated: it is held against the body, and a body that differs is never sent whole.
const FORBIDDEN: [&str; 9] =
    ["connection", "expect", "host", "http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

/// What is wrong with a request's headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A name that is the host's.
    Forbidden(String),
    /// More than [`MAX_COUNT`], or [`MAX_BYTES`]: how many bytes there are.
    Size(usize),
}

/// Whether a skill may not set this header. Some servers read `_` as `-`, so neither is a disguise for the other.
pub(crate) fn is_forbidden(name: &HeaderName) -> bool {
    let dashed = name.as_str().replace('_', "-");
    let disguised = dashed == "content-length" && name.as_str() != dashed;
    FORBIDDEN.contains(&dashed.as_str()) || dashed.starts_with("proxy-") || disguised
}

/// The headers to send: the guest's, if they may be sent, and the host's own.
pub(super) fn admit(asked: HeaderMap, authority: &str) -> Result<HeaderMap, Flaw> {
    let size = asked.iter().map(|(name, value)| name.as_str().len().saturating_add(value.len())).sum();
    if asked.len() > MAX_COUNT || size > MAX_BYTES {
        return Err(Flaw::Size(size));
    }
    if let Some(name) = asked.keys().find(|name| is_forbidden(name)) {
        return Err(Flaw::Forbidden(name.as_str().to_owned()));
    }
    let mut headers = asked;
    let Ok(host) = HeaderValue::from_str(authority) else {
        return Err(Flaw::Forbidden(HOST.as_str().to_owned()));
    };
    headers.insert(HOST, host);
    // One request, one connection.
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    Ok(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&'static str]) -> HeaderMap {
        names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x"))).collect()
    }

    #[test]
    fn the_host_sets_its_own() {
        let sent = admit(headers(&["accept", "x-api-key", "api_key", "content-length"]), "a.example:8443").unwrap();
        assert_eq!(sent.get("host").unwrap(), "a.example:8443");
        assert_eq!(sent.get("connection").unwrap(), "close");
        assert_eq!(sent.len(), 6);
    }

    #[test]
    fn names_of_the_host_are_refused_however_they_are_written() {
        for name in FORBIDDEN.into_iter().chain(["proxy-anything", "transfer_encoding", "content_length", "keep_alive"]) {
            let name = HeaderName::from_static(name);
            let asked: HeaderMap = [(name.clone(), HeaderValue::from_static("x"))].into_iter().collect();
            assert_eq!(admit(asked, "a.example"), Err(Flaw::Forbidden(name.as_str().to_owned())));
        }
    }

    #[test]
    fn a_flood_is_refused() {
        let many: HeaderMap = (0..=MAX_COUNT)
            .map(|number| (HeaderName::try_from(format!("x-{number}")).unwrap(), HeaderValue::from_static("x")))
            .collect();
        assert!(matches!(admit(many, "a.example"), Err(Flaw::Size(_))));
        let long: HeaderMap =
            [(HeaderName::from_static("x"), HeaderValue::try_from("y".repeat(MAX_BYTES)).unwrap())].into_iter().collect();
        assert_eq!(admit(long, "a.example"), Err(Flaw::Size(MAX_BYTES + 1)));
    }
}

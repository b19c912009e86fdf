//! URLs of http and https in the plain form in which a host compares them (RFC 3986, sections 5 and 6).

use std::fmt::{self, Write as _};

/// A URL without a fragment: scheme and host in lower case, no user, no dot segments, everything else percent-encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// Whether it is https.
    pub(crate) secure: bool,
    /// Host, and the port if it is not the scheme's own.
    pub(crate) authority: String,
    /// Path and query.
    pub(crate) target: String,
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.target)
    }
}

impl Url {
    /// Reads an absolute URL.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim_matches([' ', '\t', '\n', '\r']);
        let (scheme, rest) = text.split_once("://").ok_or("it begins with http:// or https://")?;
        let secure = secure(scheme)?;
        Self::after_scheme(secure, rest)
    }

    /// Reads a reference as a page at this URL would write it.
    pub(crate) fn join(&self, reference: &str) -> Result<Self, &'static str> {
        let reference = reference.trim_matches([' ', '\t', '\n', '\r']);
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::after_scheme(self.secure, rest);
        }
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        let (path, _) = split_target(&self.target);
        let target = match reference.chars().next() {
            None | Some('#') => self.target.clone(),
            Some('?') => format!("{path}{reference}"),
            Some('/') => reference.to_owned(),
            Some(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{folder}/{reference}")
            }
        };
        Ok(Self { secure: self.secure, authority: self.authority.clone(), target: plain_target(&target) })
    }

    /// `http` or `https`.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    fn after_scheme(secure: bool, rest: &str) -> Result<Self, &'static str> {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        Ok(Self { secure, authority: authority_of(secure, authority)?, target: plain_target(target) })
    }
}

fn secure(scheme: &str) -> Result<bool, &'static str> {
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(true),
        "http" => Ok(false),
        _ => Err("only http and https are fetched"),
    }
}

/// Whether a reference begins with a scheme (RFC 3986, section 3.1).
fn has_scheme(reference: &str) -> bool {
    reference.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
    })
}

fn authority_of(secure: bool, authority: &str) -> Result<String, &'static str> {
    if authority.contains('@') {
        return Err("a user in a URL is not sent anywhere");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._[]:".contains(&byte);
    if host.is_empty() || !host.bytes().all(known) {
        return Err("the host is a name or an address in ASCII; other names are written in Punycode");
    }
    let host = host.to_ascii_lowercase();
    let own = if secure { 443 } else { 80 };
    match port {
        None | Some("") => Ok(host),
        Some(port) => match port.parse::<u16>() {
            Ok(number) if port.bytes().all(|byte| byte.is_ascii_digit()) && number != 0 => {
                Ok(if number == own { host } else { format!("{host}:{number}") })
            }
            _ => Err("a port is a number from 1 to 65535"),
        },
    }
}

fn split_target(target: &str) -> (&str, Option<&str>) {
    target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)))
}

/// Path and query as they are sent: no fragment, no dot segments, only ASCII.
fn plain_target(text: &str) -> String {
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = split_target(text);
    let path = without_dots(&encoded(path));
    match query {
        Some(query) => format!("{path}?{}", encoded(query)),
        None => path,
    }
}

/// RFC 3986, section 5.2.4, on a path that begins with '/' or is empty.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment.to_ascii_lowercase().replace("%2e", ".").as_str() {
            "." if last => kept.push(""),
            ".." => {
                kept.pop();
                if last {
                    kept.push("");
                }
            }
            "." => {}
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

/// What a request line cannot hold is percent-encoded; what is encoded already stays.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> String {
        Url::parse(text).map_or_else(|error| format!("error: {error}"), |url| url.to_string())
    }

    #[test]
    fn a_url_gets_its_plain_form() {
        for (text, plain) in [
            ("https://example.com", "https://example.com/"),
            ("HTTPS://Example.COM:443/A?b=C#d", "https://example.com/A?b=C"),
            ("http://example.com:80", "http://example.com/"),
            ("http://example.com:8080/", "http://example.com:8080/"),
            ("http://example.com:/", "http://example.com/"),
            (" http://127.0.0.1:81/x \n", "http://127.0.0.1:81/x"),
            ("http://[::1]:81/x", "http://[::1]:81/x"),
            ("http://a.example?q", "http://a.example/?q"),
            ("http://a.example/a/./b/../c/..", "http://a.example/a/"),
            ("http://a.example/../../x", "http://a.example/x"),
            ("http://a.example/a/%2e%2E/b", "http://a.example/b"),
            ("http://a.example/zażółć gęś?ł=\"1\"", "http://a.example/za%C5%BC%C3%B3%C5%82%C4%87%20g%C4%99%C5%9B?%C5%82=%221%22"),
            ("http://a.example/100%25", "http://a.example/100%25"),
        ] {
            assert_eq!(parsed(text), plain, "{text}");
        }
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for text in [
            "",
            "example.com",
            "/x",
            "ftp://a.example/",
            "https:/a.example",
            "https://",
            "https:///x",
            "https://a:b@c.example/",
            "https://a.example:0/",
            "https://a.example:+1/",
            "https://a.example:99999/",
            "https://ex ample/",
            "https://zażółć.example/",
            "javascript://a.example/",
            "https://a%2eexample/",
            "https://a.example\\b/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}: {}", parsed(text));
        }
    }

    /// RFC 3986, section 5.4, as far as it is about http.
    #[test]
    fn references_are_read_as_a_browser_does() {
        let base = Url::parse("http://a/b/c/d;p?q").expect("a URL");
        for (reference, joined) in [
            ("http://g", "http://g/"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g/"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("./", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g;x=1/../y", "http://a/b/c/y"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("HTTPS://G:443/", "https://g/"),
        ] {
            assert_eq!(base.join(reference).map(|url| url.to_string()).as_deref(), Ok(joined), "{reference}");
        }
        for reference in ["mailto:a@b.example", "javascript:1", "ftp://g/", "//a@b/", "http:g"] {
            assert!(base.join(reference).is_err(), "{reference}");
        }
    }
}

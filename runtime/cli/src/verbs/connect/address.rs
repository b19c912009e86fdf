//! The address of a server over HTTP: one that can be written into files that others read, and to which a token can be sent.

use std::net::{IpAddr, Ipv6Addr};

/// The longest address.
const LONGEST: usize = 2048;
/// Where `hall mcp --http` answers.
const PATH: &str = "/mcp";

/// An address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: String,
    /// Whether a token goes to it over a network that others can listen on.
    pub(super) is_open: bool,
}

/// Reads an address. Without a path it is that of `hall mcp --http`.
///
/// # Errors
/// What it has to be.
pub(super) fn address(text: &str) -> Result<Address, String> {
    let rule = "an address such as http://127.0.0.1:7700/mcp or https://hall.example.org/mcp";
    // Clients put variables in where they find these signs.
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"$`{}\"'\\<>|^".contains(&byte);
    if text.len() > LONGEST || !text.bytes().all(is_plain) {
        return Err(format!("{rule}, without blanks, quotes, '$' and braces"));
    }
    let (is_safe, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(rule.to_owned()),
    };
    if rest.contains(['?', '#', '@']) {
        return Err("an address without a user, a query or a fragment: what is secret has no place in a file".to_owned());
    }
    let (authority, path) = rest.find('/').map_or((rest, PATH), |at| rest.split_at(at));
    let host = host(authority).ok_or(rule)?;
    let path = if path == "/" { PATH } else { path };
    let scheme = if is_safe { "https" } else { "http" };
    Ok(Address { url: format!("{scheme}://{authority}{path}"), is_open: !is_safe && !is_here(host) })
}

/// The host of an authority whose port is one.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, port.strip_prefix(':').or(port.is_empty().then_some("0"))?)
        }
        None => authority.split_once(':').unwrap_or((authority, "0")),
    };
    let is_name = host.parse::<IpAddr>().is_ok()
        || host.split('.').all(|label| {
            (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    (is_name && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok()).then_some(host)
}

/// Whether a host is this machine, by a name that nobody can give to another.
fn is_here(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Reads the name of a variable of the environment.
///
/// # Errors
/// What it has to be.
pub(super) fn variable(text: &str) -> Result<String, String> {
    let is_name = (1..=64).contains(&text.len())
        && !text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_name { Ok(text.to_owned()) } else { Err("the name of a variable: 1 to 64 letters, digits and '_'".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_servers() {
        for (text, url, is_open) in [
            ("http://127.0.0.1:7700/mcp", "http://127.0.0.1:7700/mcp", false),
            ("http://127.0.0.1:7700", "http://127.0.0.1:7700/mcp", false),
            ("http://localhost/", "http://localhost/mcp", false),
            ("http://[::1]:7700", "http://[::1]:7700/mcp", false),
            ("https://hall.example.org/a/mcp", "https://hall.example.org/a/mcp", false),
            ("http://192.0.2.1:7700", "http://192.0.2.1:7700/mcp", true),
            ("http://localhost.example.org/mcp", "http://localhost.example.org/mcp", true),
            ("http://127.0.0.1.example.org/mcp", "http://127.0.0.1.example.org/mcp", true),
            ("http://[2001:db8::1]/mcp", "http://[2001:db8::1]/mcp", true),
        ] {
            assert_eq!(address(text), Ok(Address { url: url.to_owned(), is_open }), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_or_would_be_more_than_one() {
        let long = format!("https://a/{}", "x".repeat(LONGEST));
        for text in [
            "",
            "127.0.0.1:7700",
            "ftp://a/mcp",
            "HTTPS://a/mcp",
            "https://",
            "https:///mcp",
            "https://a:b/mcp",
            "https://a:/mcp",
            "https://a:70000/mcp",
            "https://a..b/mcp",
            "https://[::1/mcp",
            "https://[a]/mcp",
            "https://user:secret@a/mcp",
            "https://a/mcp?token=secret",
            "https://a/mcp#secret",
            "https://a/${env:HOME}",
            "https://$HOME/mcp",
            "https://a/ b",
            "https://a/\n",
            "https://a/\"",
            "https://\u{e9}/mcp",
            &long,
        ] {
            assert!(address(text).is_err(), "{text}");
        }
        for text in ["", "1A", "A-B", "A}", "A B", "\u{c4}", &"A".repeat(65)] {
            assert!(variable(text).is_err(), "{text}");
        }
        assert_eq!(variable("_A1"), Ok("_A1".to_owned()));
    }
}

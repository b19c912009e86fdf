//! Requests to named origins.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// Requests to one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Scheme, host and port, such as `https://api.example.com` (RFC 6454, section 6.2).
    pub origin: String,
    /// Methods, each once.
    pub methods: Vec<Method>,
    /// Prefixes of paths, each beginning with `/`.
    pub paths: Vec<String>,
}

/// A request method (RFC 9110, section 9; RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are the methods")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    /// The method as it stands in a request line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
        }
    }
}

/// What a host's policy gives one skill: requests to one origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Scheme, host and port, spelled as in an ask.
    pub origin: String,
    /// Methods, each once.
    pub methods: Vec<Method>,
    /// Prefixes of paths, each beginning with `/`.
    pub paths: Vec<String>,
    /// Addresses that are not public (loopback, private, link-local, ...) and to which the origin may lead all the same.
    /// Without them such an address is refused, whatever name or literal led there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<IpAddr>,
}

impl Meet for Ask {
    type Grant = Grant;

    /// One entry of the policy has to cover all of the ask.
    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        let mut unmet = Unmet::Nothing;
        for grant in grants.iter().filter(|grant| grant.origin == self.origin) {
            let methods = self.methods.iter().all(|method| grant.methods.contains(method));
            let paths = self.paths.iter().all(|path| grant.paths.iter().any(|prefix| is_within(path, prefix)));
            if methods && paths {
                let (origin, addresses) = (self.origin.clone(), grant.addresses.clone());
                return Ok(Grant { origin, methods: self.methods.clone(), paths: self.paths.clone(), addresses });
            }
            unmet = Unmet::Narrower(line(&grant.origin, &grant.methods, &grant.paths));
        }
        Err(unmet)
    }

    fn flag(&self) -> String {
        let methods: Vec<&str> = self.methods.iter().map(|method| method.as_str()).collect();
        format!("--http {} --methods {} --paths {}", self.origin, methods.join(","), self.paths.join(","))
    }
}

/// Whether a path lies under a prefix, by whole segments: `/v1` covers `/v1` and `/v1/a`, not `/v10`.
#[must_use]
pub fn is_within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || prefix.ends_with('/') || rest.starts_with('/'))
}

const MAX_PATHS: usize = 32;
const MAX_PATH_BYTES: usize = 256;
const MAX_ADDRESSES: usize = 16;

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "http";

    fn validate(&self) -> Result<(), AskError> {
        validate_requests(&self.origin, &self.methods, &self.paths)
    }

    fn overlaps(&self, other: &Self) -> bool {
        // Two entries for one origin are two sets of rights; they overlap where both name a method and a path.
        self.origin == other.origin
            && self.methods.iter().any(|method| other.methods.contains(method))
            && self.paths.iter().any(|path| other.paths.contains(path))
    }

    fn line(&self) -> String {
        line(&self.origin, &self.methods, &self.paths)
    }
}

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "http";

    fn validate(&self) -> Result<(), AskError> {
        validate_requests(&self.origin, &self.methods, &self.paths)?;
        if self.addresses.len() > MAX_ADDRESSES {
            return Err(AskError::new(format!("{}: addresses lists at most {MAX_ADDRESSES} addresses", self.origin)));
        }
        Ok(())
    }

    /// One entry for an origin: which of two would count could not be seen.
    fn overlaps(&self, other: &Self) -> bool {
        self.origin == other.origin
    }

    fn line(&self) -> String {
        let line = line(&self.origin, &self.methods, &self.paths);
        if self.addresses.is_empty() {
            return line;
        }
        let addresses: Vec<String> = self.addresses.iter().map(ToString::to_string).collect();
        format!("{line} (also at {})", addresses.join(" "))
    }
}

fn line(origin: &str, methods: &[Method], paths: &[String]) -> String {
    let methods: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
    format!("{} {origin} under {}", methods.join(" "), paths.join(" "))
}

fn validate_requests(origin: &str, methods: &[Method], paths: &[String]) -> Result<(), AskError> {
    validate_origin(origin)?;
    if methods.is_empty() || methods.len() > 7 {
        return Err(AskError::new(format!("{origin}: methods lists 1 to 7 methods")));
    }
    if methods.iter().enumerate().any(|(index, method)| methods.iter().take(index).any(|other| other == method)) {
        return Err(AskError::new(format!("{origin}: a method comes twice")));
    }
    if paths.is_empty() || paths.len() > MAX_PATHS {
        return Err(AskError::new(format!("{origin}: paths lists 1 to {MAX_PATHS} prefixes")));
    }
    paths.iter().try_for_each(|path| validate_path(path))
}

/// Holds a text to the one spelling of an origin: `http` or `https`, a host in lower-case ASCII (a name, an IPv4 or a
/// bracketed IPv6 address in its usual form), and a port only where it is not the scheme's own.
///
/// # Errors
/// If it is spelled in any other way.
pub(super) fn validate_origin(origin: &str) -> Result<(), AskError> {
    let refuse = |rule: &str| Err(AskError::new(format!("'{}' is no origin: {rule}", origin.escape_default())));
    let (scheme, authority) = match origin.split_once("://") {
        Some((scheme @ ("http" | "https"), authority)) if authority.len() <= 260 => (scheme, authority),
        _ => return refuse("it begins with https:// or http://"),
    };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if !is_host(host) {
        return refuse("after the scheme comes a host in lower case, and no path, user or trailing dot");
    }
    let Some(port) = port else {
        return Ok(());
    };
    match port.parse::<u16>() {
        Ok(number) if number.to_string() == port && number != 0 => {
            if number == if scheme == "https" { 443 } else { 80 } {
                refuse("leave out the port that is the scheme's own")
            } else {
                Ok(())
            }
        }
        _ => refuse("a port is a number from 1 to 65535"),
    }
}

fn is_host(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|parsed| parsed.to_string() == address);
    }
    if host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let labels: Vec<&str> = host.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // A last label that begins with a digit is how 0x7f.1, 2130706433 and their kind are spelled (WHATWG URL, section 3.5).
    let ends_in_name = labels.last().is_some_and(|label| label.starts_with(|first: char| first.is_ascii_lowercase()));
    host.len() <= 253 && ends_in_name && labels.iter().all(is_label)
}

fn validate_path(path: &str) -> Result<(), AskError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte);
    let sound = path.starts_with('/')
        && path.len() <= MAX_PATH_BYTES
        && path.bytes().all(plain)
        && !path.contains("//")
        && !path.split('/').any(|segment| matches!(segment, "." | ".."));
    if sound {
        return Ok(());
    }
    Err(AskError::new(format!(
        "'{}' is no prefix of a path: it begins with '/', has no '.' or '..' segment, no '//', '%', '?' or '#', and at most {MAX_PATH_BYTES} bytes",
        path.escape_default()
    )))
}

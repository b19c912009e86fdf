//! Secrets that the host puts into matching requests, so that the guest never holds them.

use serde::{Deserialize, Serialize};

use super::AskError;
use super::narrow::{Meet, Unmet};

/// One secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Under which name the host keeps it.
    pub name: String,
    /// The origin whose requests get it; `http` must ask for that origin too.
    #[serde(rename = "for")]
    pub origin: String,
    /// The request header it goes into, in lower case.
    pub header: String,
    /// Whether the guest wants to see the value itself; the policy has to say so as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reveal: bool,
}

/// What a host's policy gives one skill: a secret for the requests to one origin. The value itself stands in a file of the
/// host's and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The secret's name, as the skill asks for it.
    pub name: String,
    /// The origin whose requests get it.
    #[serde(rename = "for")]
    pub origin: String,
    /// The request header it goes into, in lower case.
    pub header: String,
    /// The file that holds the value: an absolute path of the host.
    pub file: String,
    /// What stands before the value in the header, such as `Bearer `; it is no secret.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// Whether the skill may see the value itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reveal: bool,
}

impl Meet for Ask {
    type Grant = Grant;

    /// One entry has to be for the very origin and header. Whatever it says, nothing is revealed that is not asked for.
    fn narrow(&self, grants: &[Grant]) -> Result<Grant, Unmet> {
        let mut unmet = Unmet::Nothing;
        for grant in grants.iter().filter(|grant| grant.name == self.name) {
            let same = grant.origin == self.origin && grant.header == self.header;
            if same && (grant.reveal || !self.reveal) {
                return Ok(Grant { reveal: self.reveal, ..grant.clone() });
            }
            // The file is the operator's; whoever calls a skill has no need to know it.
            unmet = Unmet::Narrower(line(&grant.name, &grant.origin, &grant.header, grant.reveal));
        }
        Err(unmet)
    }

    fn flag(&self) -> String {
        let reveal = if self.reveal { " --reveal" } else { "" };
        format!("--secret {}=FILE --for {} --header {}{reveal}", self.name, self.origin, self.header)
    }
}

/// Headers that steer the connection; the host alone sets them (RFC 9110, section 7.6.1; RFC 9112, section 6).
const STEERING: [&str; 10] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "expect",
    "http2-settings",
];

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "secrets";

    fn validate(&self) -> Result<(), AskError> {
        validate(&self.name, &self.origin, &self.header)
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.origin == other.origin && (self.name == other.name || same_header(&self.header, &other.header))
    }

    fn line(&self) -> String {
        line(&self.name, &self.origin, &self.header, self.reveal)
    }
}

/// The longest prefix, in bytes.
const MAX_PREFIX_BYTES: usize = 64;

impl super::Ask for Grant {
    const CAPABILITY: &'static str = "secrets";

    fn validate(&self) -> Result<(), AskError> {
        validate(&self.name, &self.origin, &self.header)?;
        if !super::files::is_path(&self.file) {
            return Err(AskError::new(format!(
                "the secret {}: '{}' is no file to grant: an absolute path below /, without '.', '..', '//' or control characters",
                self.name,
                self.file.escape_default()
            )));
        }
        let visible = self.prefix.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') && !self.prefix.starts_with(' ');
        if self.prefix.len() > MAX_PREFIX_BYTES || !visible {
            return Err(AskError::new(format!(
                "the secret {}: a prefix is at most {MAX_PREFIX_BYTES} visible ASCII characters, such as 'Bearer '",
                self.name
            )));
        }
        Ok(())
    }

    /// Nor can one name stand for two values.
    fn overlaps(&self, other: &Self) -> bool {
        let same_place = self.origin == other.origin && same_header(&self.header, &other.header);
        same_place || (self.name == other.name && (self.origin == other.origin || self.file != other.file))
    }

    fn line(&self) -> String {
        format!("{} from {}", line(&self.name, &self.origin, &self.header, self.reveal), self.file)
    }
}

fn line(name: &str, origin: &str, header: &str, reveal: bool) -> String {
    let revealed = if reveal { ", shown to the skill" } else { "" };
    format!("{name} for {origin} in header {header}{revealed}")
}

/// Whether a server could take one header for the other: some read `_` as `-`.
#[must_use]
pub fn same_header(one: &str, other: &str) -> bool {
    one.replace('_', "-") == other.replace('_', "-")
}

fn validate(name: &str, origin: &str, header: &str) -> Result<(), AskError> {
    super::env::validate_name(name)?;
    super::http::validate_origin(origin)?;
    let is_token = (1..=64).contains(&header.len())
        && header.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
    let steers = STEERING.iter().any(|steering| same_header(steering, header)) || header.replace('_', "-").starts_with("proxy-");
    if !is_token || steers {
        return Err(AskError::new(format!(
            "the secret {name} cannot go into the header '{}': a header in lower case that does not steer the connection",
            header.escape_default()
        )));
    }
    Ok(())
}

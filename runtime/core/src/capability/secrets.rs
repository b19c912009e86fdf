//! Secrets that the host puts into matching requests, so that the guest never holds them.

use serde::{Deserialize, Serialize};

use super::AskError;

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

/// Headers that steer the connection; the host alone sets them (RFC 9110, section 7.6.1; RFC 9112, section 6).
const STEERING: [&str; 9] =
    ["host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "keep-alive", "expect"];

impl super::Ask for Ask {
    const CAPABILITY: &'static str = "secrets";

    fn validate(&self) -> Result<(), AskError> {
        super::env::validate_name(&self.name)?;
        super::http::validate_origin(&self.origin)?;
        let is_token = (1..=64).contains(&self.header.len())
            && self.header.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte));
        if !is_token || STEERING.contains(&self.header.as_str()) || self.header.starts_with("proxy-") {
            return Err(AskError::new(format!(
                "the secret {} cannot go into the header '{}': a header in lower case that does not steer the connection",
                self.name,
                self.header.escape_default()
            )));
        }
        Ok(())
    }

    fn overlaps(&self, other: &Self) -> bool {
        self.origin == other.origin && (self.name == other.name || self.header == other.header)
    }

    fn line(&self) -> String {
        let revealed = if self.reveal { ", shown to the skill" } else { "" };
        format!("{} for {} in header {}{revealed}", self.name, self.origin, self.header)
    }
}

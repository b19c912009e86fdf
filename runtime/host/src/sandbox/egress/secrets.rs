//! Secrets that go into a request: into one to the very origin that each was granted for, and into no other.

use hyper::HeaderMap;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use skillhall_core::capability::secrets::{Grant, same_header};

use super::HttpError;
use crate::sandbox::secrets::held::{Held, Secret};

/// The secret whose header the guest has set itself, if it has. It is refused, not overwritten: the skill would go on in
/// the belief that its own value was sent.
pub(super) fn clash<'a>(held: &'a Held, origin: &str, headers: &HeaderMap) -> Option<&'a Grant> {
    let set = |grant: &Grant| headers.keys().any(|name| same_header(name.as_str(), &grant.header));
    held.of_origin(origin).map(|secret| &secret.grant).find(|grant| set(grant))
}

/// Adds the secrets of this origin.
pub(super) fn add(held: &Held, origin: &str, headers: &mut HeaderMap) -> Result<(), HttpError> {
    for Secret { grant, value, .. } in held.of_origin(origin) {
        // The bytes of the value itself: they are wiped when the header goes.
        let value = HeaderValue::from_maybe_shared(Bytes::from_owner(value.behind(&grant.prefix)));
        // Both were held to these rules when they were read; a request without its secret is not sent.
        let (Ok(name), Ok(mut value)) = (HeaderName::from_bytes(grant.header.as_bytes()), value) else {
            return Err(HttpError::HttpRequestDenied);
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(())
}

//! What a request line asks for: a path and a query that mean the same to everybody who reads them.
//!
//! A prefix is worth nothing if a server makes another path of what was sent. So each segment is looked at as a server could
//! come to see it, with its percent-encoding undone, once or more often.

/// The most bytes of path and query together.
pub(super) const MAX_BYTES: usize = 8 * 1024;

/// How often a segment may be decoded until it stays the same.
const ROUNDS: usize = 4;

/// What is wrong with a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// It has more than [`MAX_BYTES`].
    Long,
    /// It is spelled in a way that is refused; the rule that it breaks.
    Spelling(&'static str),
}

/// The path and the query of a target. No path is the path `/`.
pub(super) fn read(target: &str) -> Result<(&str, Option<&str>), Flaw> {
    if target.len() > MAX_BYTES {
        return Err(Flaw::Long);
    }
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    if !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Flaw::Spelling("path and query are of visible ASCII characters; others are percent-encoded"));
    }
    if target.contains('#') {
        return Err(Flaw::Spelling("a fragment is never sent"));
    }
    if path.is_empty() {
        return Ok(("/", query));
    }
    let Some(segments) = path.strip_prefix('/') else {
        return Err(Flaw::Spelling("a path begins with '/'"));
    };
    let count = segments.split('/').count();
    for (index, segment) in segments.split('/').enumerate() {
        if segment.is_empty() && index + 1 < count {
            return Err(Flaw::Spelling("a path has no empty segment ('//')"));
        }
        check(segment.as_bytes())?;
    }
    Ok((path, query))
}

/// A segment, and whatever decoding makes of it.
fn check(segment: &[u8]) -> Result<(), Flaw> {
    let encoded_well = |(at, byte): (usize, &u8)| *byte != b'%' || triple(segment.get(at..)).is_some();
    if !segment.iter().enumerate().all(encoded_well) {
        return Err(Flaw::Spelling("'%' is followed by two hexadecimal digits"));
    }
    let mut seen = segment.to_vec();
    for _ in 0..ROUNDS {
        look_at(&seen)?;
        let decoded = decode(&seen);
        if decoded == seen {
            return Ok(());
        }
        seen = decoded;
    }
    Err(Flaw::Spelling("a path is not percent-encoded over and over"))
}

fn look_at(segment: &[u8]) -> Result<(), Flaw> {
    if segment.iter().any(|byte| matches!(byte, b'/' | b'\\')) {
        return Err(Flaw::Spelling("a segment of a path has no slash or backslash in it, encoded or not"));
    }
    if segment.iter().any(u8::is_ascii_control) {
        return Err(Flaw::Spelling("a path has no control characters, encoded or not"));
    }
    // Some servers cut parameters off before they look for dots.
    let name = segment.split(|byte| *byte == b';').next().unwrap_or_default();
    if matches!(name, b"." | b"..") {
        return Err(Flaw::Spelling("a path has no '.' or '..' segment, encoded or not"));
    }
    Ok(())
}

/// Undoes the encoding where there is one; a '%' that begins none stands for itself.
fn decode(segment: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let [first, behind @ ..] = rest {
        if let Some(byte) = triple(Some(rest)) {
            decoded.push(byte);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            decoded.push(*first);
            rest = behind;
        }
    }
    decoded
}

/// The byte that a text such as `%2e` stands for, if this begins with one.
fn triple(text: Option<&[u8]>) -> Option<u8> {
    let [b'%', high, low, ..] = text? else { return None };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_target_is_taken_as_it_is() {
        for (target, path, query) in [
            ("/", "/", None),
            ("", "/", None),
            ("?q=1", "/", Some("q=1")),
            ("/v1/a.b/...", "/v1/a.b/...", None),
            ("/v1/", "/v1/", None),
            (
                "/a%20b/%C3%A9;x=1?u=https://other.example/../%2e%2e",
                "/a%20b/%C3%A9;x=1",
                Some("u=https://other.example/../%2e%2e"),
            ),
            ("/100%25", "/100%25", None),
            ("/100%25%25", "/100%25%25", None),
            ("/:@!$&'()*+,=~-_", "/:@!$&'()*+,=~-_", None),
        ] {
            assert_eq!(read(target), Ok((path, query)), "{target}");
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for target in [
            "*",
            "http://other.example/",
            "v1",
            "//other.example/",
            "/v1//a",
            "/v1/../admin",
            "/v1/.",
            "/..",
            "/v1/..;/admin",
            "/v1/..;x=1/admin",
            "/v1/%2e%2e/admin",
            "/v1/.%2E/admin",
            "/v1/%2e",
            "/v1/%252e%252e/admin",
            "/v1/%25252e%25252e/a",
            "/v1%2f..%2fadmin",
            "/v1/a%5cb",
            "/v1/a\\b",
            "/v1/..%5cadmin",
            "/v1%252fadmin",
            "/v1/%00",
            "/v1/%0d%0aX",
            "/v1/a b",
            "/v1/\r\nX: y",
            "/v1/\u{e9}",
            "/v1/%",
            "/v1/%2",
            "/v1/%zz",
            "/v1#a",
            "/v1?a#b",
            "/v1/%7f",
            "/%2525252525252525",
            "/\t",
            "/v1/%25zz%252f..%252fadmin",
        ] {
            assert!(matches!(read(target), Err(Flaw::Spelling(_))), "{target:?}: {:?}", read(target));
        }
        assert_eq!(read(&format!("/{}", "a".repeat(MAX_BYTES))), Err(Flaw::Long));
        assert!(read(&format!("/{}", "a".repeat(MAX_BYTES - 1))).is_ok());
    }
}

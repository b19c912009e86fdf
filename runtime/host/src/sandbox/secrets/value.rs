//! The value of a secret.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

/// The value of a secret, fit for a header. It is wiped when the last copy of it goes, and no Debug, Display or Serialize
/// shows it.
#[derive(Clone)]
pub struct SecretValue(Arc<Zeroizing<String>>);

impl SecretValue {
    /// What a file holds, without the end of its line.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub(crate) fn new(mut bytes: Zeroizing<Vec<u8>>) -> Result<Self, &'static str> {
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        }
        if bytes.is_empty() {
            return Err("it is empty");
        }
        let inside = |byte: &u8| byte.is_ascii_graphic() || matches!(byte, b' ' | b'\t');
        let ends = [bytes.first(), bytes.last()].into_iter().flatten().all(u8::is_ascii_graphic);
        if !ends || !bytes.iter().all(inside) {
            return Err("it is not one line of visible ASCII characters, and nothing else can be put into a header");
        }
        // The very bytes, moved: a copy would have to be wiped as well.
        match String::from_utf8(std::mem::take(&mut *bytes)) {
            Ok(text) => Ok(Self(Arc::new(Zeroizing::new(text)))),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                Err("it is no text")
            }
        }
    }

    /// The value itself. Whoever asks for it hands it on to the one place that it is for.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The value behind a prefix.
    #[cfg(feature = "http")]
    pub(in crate::sandbox) fn behind(&self, prefix: &str) -> Self {
        if prefix.is_empty() {
            return self.clone();
        }
        // The whole room at once: growing would leave a copy behind.
        let mut text = Zeroizing::new(String::with_capacity(prefix.len().saturating_add(self.0.len())));
        text.push_str(prefix);
        text.push_str(&self.0);
        Self(Arc::new(text))
    }
}

impl AsRef<[u8]> for SecretValue {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8]) -> Result<String, &'static str> {
        SecretValue::new(Zeroizing::new(bytes.to_vec())).map(|value| value.expose().to_owned())
    }

    #[test]
    fn the_end_of_the_line_is_no_part_of_it() {
        for (file, is) in [("k3y", "k3y"), ("k3y\n", "k3y"), ("k3y\r\n", "k3y"), ("a b\tc\n", "a b\tc"), ("=\\\"%\n", "=\\\"%")] {
            assert_eq!(value(file.as_bytes()), Ok(is.to_owned()), "{file:?}");
        }
        for (file, says) in [
            (&b""[..], "empty"),
            (b"\n", "empty"),
            (b"\r\n", "empty"),
            (b"a\n\n", "one line"),
            (b"a\nb\n", "one line"),
            (b"a\r\nx-other: b", "one line"),
            (b" a", "one line"),
            (b"a \n", "one line"),
            (b"a\0", "one line"),
            (b"a\x7f", "one line"),
            ("za\u{17c}".as_bytes(), "one line"),
            (b"\xff", "one line"),
        ] {
            assert!(value(file).is_err_and(|why| why.contains(says)), "{file:?}");
        }
    }

    #[test]
    fn it_is_not_shown() {
        let value = SecretValue::new(Zeroizing::new(b"canary-1234".to_vec())).unwrap();
        assert_eq!(format!("{value:?} {:#?}", Some(&value)), "SecretValue(..) Some(\n    SecretValue(..),\n)");
        #[cfg(feature = "http")]
        assert_eq!(value.behind("Bearer ").expose(), "Bearer canary-1234");
    }
}

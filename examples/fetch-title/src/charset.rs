//! From the bytes of a page to its text, as the HTML standard finds out the encoding (section 13.2.3.2): a byte order mark, what
//! the server states, what the page states at its beginning; else UTF-8 if it is that, and else windows-1252.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// So far a page is looked at for what it states itself.
const PRESCAN: usize = 1024;

/// The text of a page.
pub(crate) fn decode<'a>(body: &'a [u8], content_type: Option<&str>) -> Cow<'a, str> {
    let stated = content_type.and_then(stated).or_else(|| {
        let beginning = body.get(..PRESCAN).unwrap_or(body);
        let of_page = in_page(&beginning.to_ascii_lowercase())?;
        // A page that could be read so far is not in UTF-16, whatever it says.
        Some(if of_page == UTF_16BE || of_page == UTF_16LE { UTF_8 } else { of_page })
    });
    let encoding = match stated {
        Some(encoding) => encoding,
        None if std::str::from_utf8(body).is_ok() => UTF_8,
        None => WINDOWS_1252,
    };
    // A byte order mark wins over whatever was stated.
    encoding.decode(body).0
}

/// The encoding of a content type such as `text/html; charset="utf-8"`.
fn stated(content_type: &str) -> Option<&'static Encoding> {
    let parameters = content_type.split(';').skip(1);
    let charset = parameters.filter_map(|parameter| parameter.split_once('=')).find(|(name, _)| is_charset(name))?.1;
    Encoding::for_label(charset.trim().trim_matches(['"', '\'']).as_bytes())
}

fn is_charset(name: &str) -> bool {
    name.trim().eq_ignore_ascii_case("charset")
}

/// `<meta charset=...>`, or `<meta http-equiv content="...; charset=...">`.
fn in_page(beginning: &[u8]) -> Option<&'static Encoding> {
    let text: String = beginning.iter().copied().map(char::from).collect();
    text.split("<meta").skip(1).find_map(|meta| {
        let tag = meta.split('>').next()?;
        let (_, value) = tag.split_once("charset")?;
        let value = value.trim_start().strip_prefix('=')?.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|end: char| end.is_ascii_whitespace() || "\"';/".contains(end)).unwrap_or(value.len());
        Encoding::for_label(value.split_at(end).0.as_bytes())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_states_it() {
        for (body, content_type, text) in [
            (&b"caf\xe9"[..], "text/html; charset=iso-8859-1", "café"),
            (b"caf\xe9", "text/html;x=y; Charset=\"Latin1\"", "café"),
            (b"caf\xc3\xa9", "text/html; charset=utf-8", "café"),
            (b"\x93a\x94", "text/html; charset=windows-1252", "“a”"),
            (b"\x93\xfa\x96{", "text/html; charset=Shift_JIS", "日本"),
            (b"\xff\xfea\0", "text/html; charset=utf-8", "a"),
            (b"\xef\xbb\xbfa", "text/html; charset=iso-8859-1", "a"),
        ] {
            assert_eq!(decode(body, Some(content_type)), text, "{content_type}");
        }
    }

    #[test]
    fn the_page_states_it() {
        for page in [
            "<meta charset=iso-8859-2>\u{b1}",
            "<META  CHARSET = 'ISO-8859-2'>\u{b1}",
            "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-2\" />\u{b1}",
        ] {
            let bytes: Vec<u8> = page.chars().map(|character| character as u8).collect();
            assert!(decode(&bytes, Some("text/html")).ends_with('ą'), "{page}");
        }
        assert_eq!(decode("<meta charset=utf-16>ż".as_bytes(), None), "<meta charset=utf-16>ż");
    }

    #[test]
    fn nobody_states_it() {
        assert_eq!(decode("zażółć".as_bytes(), None), "zażółć");
        assert_eq!(decode(b"caf\xe9 \x80", Some("text/html; charset=none-such")), "café €");
    }
}

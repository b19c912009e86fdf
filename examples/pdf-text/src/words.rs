//! How is a text written that comes out of a PDF?

/// What is no text: control characters, and what turns the direction of the text around it.
pub(crate) fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
        || matches!(u32::from(c), 0x200e | 0x200f | 0x202a..=0x202e | 0x2066..=0x2069 | 0xfeff | 0xfffe | 0xffff)
}

/// Without blanks at the ends of lines, and with one at most between words.
pub(crate) fn tidied(text: &str) -> String {
    let lines: Vec<String> =
        text.replace('\r', "\n").lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let mut tidy = String::with_capacity(text.len());
    let mut empty = 0;
    for line in &lines {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            tidy.push_str(line);
            tidy.push('\n');
        }
    }
    tidy.trim_matches('\n').to_owned()
}

/// A text of the file's own description: UTF-16 or UTF-8 with a mark, else about Latin 1. Nothing if nothing stands there.
pub(crate) fn decoded(bytes: &[u8]) -> Option<String> {
    let text: String = match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        bytes => std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), str::to_owned),
    };
    let text: String = text.chars().filter(|c| !is_hidden(*c)).take(500).collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_decoded() {
        assert_eq!(decoded(b"\xfe\xff\0H\0i\x26\x3a").as_deref(), Some("Hi☺"));
        assert_eq!(decoded(b"\xff\xfeH\0\0\xd8").as_deref(), Some("H\u{fffd}"));
        assert_eq!(decoded(b"caf\xe9").as_deref(), Some("café"));
        assert_eq!(decoded("\u{202e}né\n\u{7}".as_bytes()).as_deref(), Some("né"));
        assert_eq!(decoded(b" \0"), None);
    }

    #[test]
    fn text_is_tidied() {
        assert_eq!(tidied("\n a  b \r\n\n\n\n c\u{a0}d \n"), "a b\n\nc d");
    }
}

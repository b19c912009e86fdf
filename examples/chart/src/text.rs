//! How is a text written into SVG, and how wide is it?

/// The most characters of a line that is drawn.
const MAX_LINE: usize = 200;

/// One line of text as it is drawn: without what cannot be seen, and nothing if nothing stands there.
pub(crate) fn line(text: Option<&str>) -> Option<String> {
    let text: String =
        text?.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_hidden(*c)).take(MAX_LINE).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// What is not drawn, or what XML cannot hold, or what turns the direction of the text around it.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c), 0x200b | 0x200e | 0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff | 0xfffe | 0xffff)
}

/// The text as XML holds it, in an element or an attribute.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars().filter(|c| !is_hidden(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// About how wide a text of this size is. The font is whichever the reader has, so more cannot be known.
pub(crate) fn width(text: &str, size: f64) -> f64 {
    text.chars().map(of_one).sum::<f64>() * size
}

fn of_one(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' => 0.28,
        'f' | 't' | 'r' | ' ' | '-' | '(' | ')' | '/' => 0.36,
        'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.86,
        'A'..='Z' => 0.68,
        c if u32::from(c) >= 0x1100 => 1.0,
        _ => 0.56,
    }
}

/// The text, or as much of it as fits with an ellipsis.
pub(crate) fn shortened(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = size;
    for c in text.chars() {
        used += of_one(c) * size;
        if used > most {
            break;
        }
        out.push(c);
    }
    format!("{}…", out.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_place() {
        assert_eq!(escaped("</text><script>\"'&\u{0}\u{202e}"), "&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;");
        assert_eq!(line(Some(" a\n\tb\u{7}\u{feff} ")).as_deref(), Some("a  b"));
        assert_eq!(line(Some("\u{0}\n")), None);
        assert_eq!(line(Some(&"x".repeat(1000))).map(|line| line.len()), Some(200));
    }

    #[test]
    fn a_long_text_is_shortened() {
        assert_eq!(shortened("short", 12.0, 100.0), "short");
        let text = shortened("a rather long name of a category", 12.0, 80.0);
        assert!(text.ends_with('…') && width(&text, 12.0) <= 86.0, "{text}");
    }
}

//! Character references in text (HTML standard, section 13.2.5.72 and following).

/// The longest name with its `&` and `;`, roughly.
const LONGEST: usize = 40;

/// Names that browsers know without a `;`, as far as titles have them.
const BARE: [(&str, &str); 6] = [("&amp", "&"), ("&lt", "<"), ("&gt", ">"), ("&quot", "\""), ("&nbsp", "\u{a0}"), ("&copy", "©")];

/// What numbers from 128 to 159 mean on the web: the characters of windows-1252.
const C1: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’', '“', '”',
    '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text with its references replaced.
pub(crate) fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        let (before, reference) = rest.split_at(at);
        out.push_str(before);
        if let Some((character, behind)) = number(reference) {
            out.push(character);
            rest = behind;
        } else if let Some((characters, behind)) = name(reference) {
            out.push_str(&characters);
            rest = behind;
        } else {
            out.push('&');
            rest = reference.strip_prefix('&').unwrap_or_default();
        }
    }
    out.push_str(rest);
    out
}

fn number(reference: &str) -> Option<(char, &str)> {
    let digits = reference.strip_prefix("&#")?;
    let (digits, radix) = digits.strip_prefix(['x', 'X']).map_or((digits, 10), |digits| (digits, 16));
    let end = digits.find(|end: char| !end.is_digit(radix)).unwrap_or(digits.len());
    let (digits, behind) = digits.split_at(end);
    if digits.is_empty() {
        return None;
    }
    let behind = behind.strip_prefix(';').unwrap_or(behind);
    let code = u32::from_str_radix(digits, radix).unwrap_or(u32::MAX);
    let character = match code {
        0 => None,
        128..=159 => C1.get(usize::try_from(code - 128).unwrap_or_default()).copied(),
        _ => char::from_u32(code),
    };
    Some((character.unwrap_or(char::REPLACEMENT_CHARACTER), behind))
}

fn name(reference: &str) -> Option<(String, &str)> {
    let end = reference.char_indices().take(LONGEST).find(|(_, character)| *character == ';').map(|(at, _)| at + 1);
    if let Some((name, behind)) = end.map(|end| reference.split_at(end)) {
        let decoded = html_escape::decode_html_entities(name);
        if decoded != name && !decoded.contains(';') {
            return Some((decoded.into_owned(), behind));
        }
    }
    BARE.iter().find_map(|(name, characters)| Some(((*characters).to_owned(), reference.strip_prefix(name)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_become_what_they_stand_for() {
        for (text, plain) in [
            ("a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#x27;", "a & b <c> \"d\" 'e'"),
            ("caf&eacute; &euro;5 &hellip; &mdash; &NotEqualTilde;", "café €5 … — ≂̸"),
            ("&#8364;&#x20AC;&#X20ac;&#8364", "€€€€"),
            ("&#150;&#x80;", "–€"),
            ("&#0;&#xD800;&#99999999999;", "\u{fffd}\u{fffd}\u{fffd}"),
            ("AT&T & R&D; &unknown; &; &# &#x; &", "AT&T & R&D; &unknown; &; &# &#x; &"),
            ("Q&amp A&nbsp.", "Q& A\u{a0}."),
            ("&amp;lt; &amp;amp;", "&lt; &amp;"),
            ("zażółć && 🎉&amp;", "zażółć && 🎉&"),
        ] {
            assert_eq!(decode(text), plain);
        }
    }
}

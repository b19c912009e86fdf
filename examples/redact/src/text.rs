//! What kind of character is this, and what stands beside it?

/// The character that begins at byte `at`.
pub(crate) fn after(text: &str, at: usize) -> Option<char> {
    text.get(at..)?.chars().next()
}

/// The character that ends at byte `at`.
pub(crate) fn before(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back()
}

/// The last two characters, the last one first.
pub(crate) fn last_two(text: &str) -> (Option<char>, Option<char>) {
    let mut back = text.chars().rev();
    (back.next(), back.next())
}

/// The value of a decimal digit in the scripts in which such numbers are commonly written: ASCII, Arabic-Indic (both
/// forms), Devanagari, Bengali and full-width.
pub(crate) fn digit(c: char) -> Option<u8> {
    const ZEROS: [char; 6] = ['0', '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ff10}'];
    ZEROS.iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(*zero))?;
        u8::try_from(value).ok().filter(|value| *value < 10)
    })
}

/// A blank as it occurs inside numbers: space, no-break space, figure space, thin space, narrow no-break space.
pub(crate) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\u{a0}' | '\u{2007}' | '\u{2009}' | '\u{202f}')
}

/// A dash as it occurs inside numbers: hyphen-minus, hyphen, no-break hyphen, figure dash, en dash, minus sign.
pub(crate) fn is_dash(c: char) -> bool {
    matches!(c, '-' | '\u{2010}'..='\u{2013}' | '\u{2212}')
}

/// A letter of a script that is written without spaces, or (as in Korean) ties its particles to a foreign word. Such a
/// letter beside an item of another script does not belong to it.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c),
        0x0e00..=0x0eff      // Thai, Lao
        | 0x1000..=0x109f    // Myanmar
        | 0x1780..=0x17ff    // Khmer
        | 0x3040..=0x30ff    // Hiragana, Katakana
        | 0x3400..=0x4dbf    // Han
        | 0x4e00..=0x9fff    // Han
        | 0xac00..=0xd7af    // Hangul
        | 0xf900..=0xfaff    // Han
        | 0x2_0000..=0x3_ffff // Han
    )
}

/// A letter, a digit, or a mark that is written over the letter before it.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}')
}

/// Whether a number beside this character would be a part of a longer word.
pub(crate) fn joins(c: Option<char>) -> bool {
    c.is_some_and(|c| c == '_' || (is_word(c) && !is_unspaced(c)))
}

/// Whether the character can be seen by itself and is neither text nor part of an item. Only such a one can be a mask.
pub(crate) fn is_mask(c: char) -> bool {
    let unseen = matches!(u32::from(c),
        0xad | 0x61c | 0x180e | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f | 0xfeff | 0xfff9..=0xfffb | 0xe_0000..=0xf_ffff | 0x10_0000..=0x10_ffff
        | 0xe000..=0xf8ff);
    !(is_word(c) || c.is_whitespace() || c.is_control() || unseen || matches!(c, '@' | '.' | '+'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_several_scripts_have_values() {
        for (c, value) in [('0', 0), ('9', 9), ('٣', 3), ('۷', 7), ('५', 5), ('৮', 8), ('４', 4)] {
            assert_eq!(digit(c), Some(value), "{c}");
        }
        for c in ['a', '/', ':', '²', '½', '一'] {
            assert_eq!(digit(c), None, "{c}");
        }
    }

    #[test]
    fn a_mask_is_a_sign_that_is_seen() {
        for c in ['*', '#', 'x', '█', '•', '_', '-', '\u{200b}', '\u{301}', ' ', '\n', '7', 'é', '@', '字'] {
            assert_eq!(is_mask(c), matches!(c, '*' | '#' | '█' | '•' | '_' | '-'), "{c:?}");
        }
    }
}

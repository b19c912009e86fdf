//! Text by authors that people and agents will read: bounded, and nothing in it that shows as something else.

/// Holds a text to one line of at most `max` bytes, not empty.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_line(text: &str, max: usize) -> Result<(), String> {
    check(text, max, |_| false)
}

/// Holds a text of several lines to at most `max` bytes, not empty. Newlines and tabs are its only control characters.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn check_text(text: &str, max: usize) -> Result<(), String> {
    check(text, max, |character| matches!(character, '\n' | '\t'))
}

fn check(text: &str, max: usize, allowed: fn(char) -> bool) -> Result<(), String> {
    if text.trim().is_empty() {
        return Err("the text is empty".into());
    }
    if text.len() > max {
        return Err(format!("the text has {} bytes; at most {max} are allowed", text.len()));
    }
    match text.chars().find(|character| is_hidden(*character) && !allowed(*character)) {
        Some(hidden) => {
            Err(format!("the text holds the character {}, which does not show as what it is", hidden.escape_unicode()))
        }
        None => Ok(()),
    }
}

/// Control characters, line and paragraph separators, bidirectional controls (UAX #9, section 2), characters without width,
/// tags and noncharacters: what can hide text from a person who reads it.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0x00ad | 0x034f | 0x061c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
                | 0x2060..=0x206f | 0x3164 | 0xfdd0..=0xfdef | 0xfeff | 0xffa0 | 0xfff0..=0xffff | 0xe0000..=0xe0fff
        )
        || u32::from(character) & 0xfffe == 0xfffe
}

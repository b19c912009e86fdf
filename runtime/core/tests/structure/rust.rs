//! Rust source as words: enough to tell code from comments and text, and to follow paths through `use` and modules.

use std::iter;

/// A word or a mark of the source. Text and characters in quotes stand as one `"`, comments not at all.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(|first: char| first.is_alphabetic() || first == '_')
    }
}

/// A path that starts at the crate, at `super` or at `self`, as it reads from the crate's root.
#[derive(Debug, PartialEq)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) line: usize,
}

pub(crate) fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let (mut i, mut line) = (0, 1);
    while i < chars.len() {
        let start = i;
        let text = match at(i) {
            c if c.is_whitespace() => {
                i += 1;
                None
            }
            '/' if at(i + 1) == '/' => {
                i = (i..chars.len()).find(|&end| at(end) == '\n').unwrap_or(chars.len());
                None
            }
            '/' if at(i + 1) == '*' => {
                i = end_of_block_comment(&chars, i);
                None
            }
            '"' => {
                i = end_of_text(&chars, i);
                Some("\"".into())
            }
            '\'' if at(i + 1) == '\\' || at(i + 2) == '\'' => {
                let first = if at(i + 1) == '\\' { i + 3 } else { i + 2 };
                i = (first..chars.len()).find(|&end| at(end) == '\'').map_or(chars.len(), |end| end + 1);
                Some("\"".into())
            }
            c if word(c) => {
                i = (i..chars.len()).find(|&end| !word(at(end))).unwrap_or(chars.len());
                let text: String = chars[start..i].iter().collect();
                let prefix = matches!(text.as_str(), "r" | "br" | "cr" | "b" | "c");
                if prefix && at(i) == '"' && !text.contains('r') {
                    i = end_of_text(&chars, i);
                    Some("\"".into())
                } else if let Some(end) = end_of_raw_text(&chars, i).filter(|_| prefix && text.contains('r')) {
                    i = end;
                    Some("\"".into())
                } else {
                    Some(text)
                }
            }
            ':' if at(i + 1) == ':' => {
                i += 2;
                Some("::".into())
            }
            c => {
                i += 1;
                Some(c.to_string())
            }
        };
        found.extend(text.map(|text| Token { text, line }));
        line += chars[start..i].iter().filter(|&&c| c == '\n').count();
    }
    found
}

fn end_of_block_comment(chars: &[char], start: usize) -> usize {
    let (mut i, mut depth) = (start, 0);
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            return i;
        }
    }
    i
}

fn end_of_text(chars: &[char], quote: usize) -> usize {
    let mut i = quote + 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// Where raw text ends whose hashes start here, or `None` if there is no raw text here.
fn end_of_raw_text(chars: &[char], start: usize) -> Option<usize> {
    let hashes = chars[start..].iter().take_while(|&&c| c == '#').count();
    if chars.get(start + hashes) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = iter::once('"').chain(iter::repeat_n('#', hashes)).collect();
    let body = start + hashes + 1;
    Some(chars[body..].windows(end.len()).position(|part| part == end).map_or(chars.len(), |at| body + at + end.len()))
}

/// Every path of a file that starts at `crate`, `super` or `self`. `module` is where the file stands in its crate.
pub(crate) fn paths(tokens: &[Token], module: &[String]) -> Vec<Path> {
    let is = |i: usize, text: &str| tokens.get(i).is_some_and(|token| token.is(text));
    let before = |i: usize, back: usize, text: &str| i.checked_sub(back).is_some_and(|i| is(i, text));
    let mut module = module.to_vec();
    let mut inline: Vec<usize> = Vec::new();
    let mut depth = 0;
    let mut found = Vec::new();
    let mut i = 0;
    while let Some(token) = tokens.get(i) {
        if token.is("mod") && is(i + 2, "{") {
            module.push(tokens[i + 1].text.clone());
            inline.push(depth);
        } else if token.is("{") {
            depth += 1;
        } else if token.is("}") {
            depth -= 1;
            if inline.last() == Some(&depth) {
                inline.pop();
                module.pop();
            }
        }
        let visibility = before(i, 1, "(") && before(i, 2, "pub") || before(i, 1, "in") && before(i, 2, "(");
        let starts = token.is("crate") || token.is("super") || token.is("self") && is(i + 1, "::");
        if starts && !visibility && !before(i, 1, "::") {
            i = tree(tokens, i, &[], &mut |segments, line| found.push(Path { segments: absolute(segments, &module), line }));
        } else {
            i += 1;
        }
    }
    found
}

/// Reads a path, or a tree of paths, that starts here; gives where it ends.
fn tree(tokens: &[Token], start: usize, prefix: &[String], give: &mut dyn FnMut(&[String], usize)) -> usize {
    let mut segments = prefix.to_vec();
    let mut i = start;
    while let Some(token) = tokens.get(i) {
        if token.is("{") {
            i += 1;
            while let Some(inner) = tokens.get(i).filter(|token| !token.is("}")) {
                if !inner.is_word() && !inner.is("*") {
                    i += 1;
                    continue;
                }
                i = tree(tokens, i, &segments, give);
                // The new name of an `as`.
                while tokens.get(i).is_some_and(Token::is_word) {
                    i += 1;
                }
            }
            return i + 1;
        }
        if !token.is_word() && !token.is("*") {
            break;
        }
        segments.push(token.text.clone());
        i += 1;
        if !tokens.get(i).is_some_and(|token| token.is("::")) {
            break;
        }
        i += 1;
    }
    give(&segments, tokens[start].line);
    i
}

fn absolute(segments: &[String], module: &[String]) -> Vec<String> {
    let mut at = module.to_vec();
    let mut rest = segments.iter().peekable();
    while let Some(first) = rest.next_if(|segment| matches!(segment.as_str(), "crate" | "super" | "self")) {
        match first.as_str() {
            "crate" => at.clear(),
            "super" => drop(at.pop()),
            _ => {}
        }
    }
    at.extend(rest.cloned());
    at
}

#[test]
fn words_in_comments_and_text_are_no_code() {
    let source = r##"
        // unsafe
        /* unsafe /* unsafe */ unsafe */
        let a = ["unsafe \" unsafe", r#"unsafe " unsafe"#, b"unsafe"];
        let b = ('"', '\'', '\u{1F600}', 'x');
        fn c<'a>(d: &'a str) { unsafe { r#type() } }
    "##;
    let found = tokens(source);
    let lines: Vec<usize> = found.iter().filter(|token| token.is("unsafe")).map(|token| token.line).collect();
    assert_eq!(lines, [6]);
}

#[test]
fn paths_are_followed_from_where_they_stand() {
    let source = "
        use crate::{a::B, c::{self, d::*}, e as f};
        pub(crate) use super::g::H;
        pub(in crate::x) fn i() { self.j(); super::super::k::l::<crate::m::N>() }
        mod tests { use super::o; mod deep { use super::super::p; } }
        fn q() { self::r() }
    ";
    let module = ["room".into(), "file".into()];
    let found: Vec<String> = paths(&tokens(source), &module).iter().map(|path| path.segments.join("::")).collect();
    let expected =
        ["a::B", "c::self", "c::d::*", "e", "room::g::H", "k::l", "m::N", "room::file::o", "room::file::p", "room::file::r"];
    assert_eq!(found, expected);
}

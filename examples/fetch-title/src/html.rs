//! The title of an HTML page: the first `title` element that is not a drawing's own (HTML standard, section 3.1.3).
//!
//! Tags are found as section 13.2.5 finds them, so that neither a comment, nor a script, nor an attribute can pretend to be a
//! title. What is not needed for that is left out: nothing is built, and every character is looked at once.

use crate::entity;

/// The most characters of a title.
const MAX_CHARS: usize = 2000;

/// Elements whose content is text, whatever it looks like. (With scripts off, as here, `noscript` has content like any other.)
const TEXT: [&str; 7] = ["script", "style", "textarea", "xmp", "iframe", "noembed", "noframes"];

/// Elements in which a title is not the page's.
const FOREIGN: [&str; 3] = ["svg", "math", "template"];

/// The title of a page, if it has one that says something.
pub(crate) fn title(page: &str) -> Option<String> {
    let mut rest = page;
    let mut foreign = 0_usize;
    while let Some(at) = rest.find('<') {
        let (_, markup) = rest.split_at(at);
        let Some(tag) = Tag::read(markup) else {
            rest = after_other(markup);
            continue;
        };
        rest = tag.behind;
        let name = tag.name.as_str();
        if FOREIGN.contains(&name) {
            foreign = if tag.closes { foreign.saturating_sub(1) } else { foreign + usize::from(!tag.empty) };
        } else if !tag.closes && foreign == 0 && name == "title" {
            return shown(content(rest, name).0);
        } else if !tag.closes && TEXT.contains(&name) {
            rest = content(rest, name).1;
        }
    }
    None
}

/// A start or an end tag.
struct Tag<'a> {
    name: String,
    closes: bool,
    /// `<br/>`, which counts in drawings only.
    empty: bool,
    behind: &'a str,
}

impl<'a> Tag<'a> {
    fn read(markup: &'a str) -> Option<Self> {
        let inner = markup.strip_prefix('<')?;
        let (closes, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
        if !inner.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        let end = inner.find(|end: char| end.is_ascii_whitespace() || matches!(end, '/' | '>')).unwrap_or(inner.len());
        let (name, attributes) = inner.split_at(end);
        let (empty, behind) = after_attributes(attributes);
        Some(Self { name: name.to_ascii_lowercase(), closes, empty, behind })
    }
}

/// What comes behind the `>` of a tag, and whether a `/` stands before that. A `>` in quotes is none.
fn after_attributes(text: &str) -> (bool, &str) {
    let mut empty = false;
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(|blank: char| blank.is_ascii_whitespace());
        if let Some(behind) = rest.strip_prefix('>') {
            return (empty, behind);
        }
        if let Some(behind) = rest.strip_prefix('/') {
            (empty, rest) = (true, behind);
            continue;
        }
        if rest.is_empty() {
            return (false, rest);
        }
        empty = false;
        // A '=' at the beginning of a name belongs to the name.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        let (_, behind_first) = rest.split_at(first);
        let end = behind_first
            .find(|end: char| end.is_ascii_whitespace() || matches!(end, '/' | '>' | '='))
            .unwrap_or(behind_first.len());
        rest = behind_first.split_at(end).1.trim_start_matches(|blank: char| blank.is_ascii_whitespace());
        if let Some(value) = rest.strip_prefix('=') {
            rest = after_value(value.trim_start_matches(|blank: char| blank.is_ascii_whitespace()));
        }
    }
}

fn after_value(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return quoted.split_once(quote).map_or("", |(_, behind)| behind);
        }
    }
    let end = value.find(|end: char| end.is_ascii_whitespace() || end == '>').unwrap_or(value.len());
    value.split_at(end).1
}

/// What comes behind something that begins with '<' and is no tag.
fn after_other(markup: &str) -> &str {
    if let Some(comment) = markup.strip_prefix("<!--") {
        if let Some(behind) = comment.strip_prefix('>').or_else(|| comment.strip_prefix("->")) {
            return behind;
        }
        let ends = ["-->", "--!>"].iter().filter_map(|end| Some((comment.find(end)?, end.len())));
        return ends.min().map_or("", |(at, length)| comment.split_at(at + length).1);
    }
    let bogus = ["<!", "<?", "</"].iter().any(|start| markup.starts_with(start));
    if bogus {
        return markup.split_once('>').map_or("", |(_, behind)| behind);
    }
    markup.strip_prefix('<').unwrap_or_default()
}

/// The content of a text element, and what comes behind its end tag. Without one, it is all the rest.
fn content<'a>(text: &'a str, name: &str) -> (&'a str, &'a str) {
    let mut from = 0;
    while let Some(at) = text.get(from..).and_then(|rest| rest.find("</")).map(|at| at + from) {
        let (content, markup) = text.split_at(at);
        if let Some(tag) = Tag::read_end(markup, name) {
            return (content, tag);
        }
        from = at + 2;
    }
    (text, "")
}

impl Tag<'_> {
    /// What comes behind the end tag of this element, if this is one.
    fn read_end<'b>(markup: &'b str, name: &str) -> Option<&'b str> {
        let inner = markup.strip_prefix("</")?;
        let (found, behind) = inner.split_at_checked(name.len())?;
        let ends = behind.is_empty() || behind.starts_with(|end: char| end.is_ascii_whitespace() || matches!(end, '/' | '>'));
        (found.eq_ignore_ascii_case(name) && ends).then(|| after_attributes(behind).1)
    }
}

/// The text of a title as it is shown: references decoded, blanks collapsed.
fn shown(text: &str) -> Option<String> {
    let decoded = entity::decode(text);
    let words: Vec<&str> = decoded.split_ascii_whitespace().collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(MAX_CHARS) {
        line.truncate(end);
    }
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_title_is_found() {
        for page in [
            "<!doctype html><html><head><title>It</title></head><body><title>No</title>",
            "<title>It</title>",
            "<TITLE lang=en>It</TITLE >",
            "<title\n>\n  It\n</title\n>",
            "<head><meta charset=utf-8><title>It",
            "<title/>It</title>",
            "<!-- <title>No</title> --><title>It</title>",
            "<!--><title>It</title>-->",
            "<!-- a --!><title>It</title>",
            "<?xml version=\"1.0\"?><!DOCTYPE html><title>It</title>",
            "<script>var a = '<title>No</title>';</script><title>It</title>",
            "<style>a::before { content: '<title>No</title>' }</style><title>It</title>",
            "<script></scripts><title>No</title></script><title>It</title>",
            "<textarea><title>No</title></textarea><title>It</title>",
            "<meta content=\"<title>No</title>\"><title>It</title>",
            "<meta content='> <title>No</title>' a=b><title>It</title>",
            "<meta content=a/b><title>It</title>",
            "<meta =\"<title>\"><title>It</title>",
            "<svg><title>No</title></svg><title>It</title>",
            "<svg/><title>It</title>",
            "<template><title>No</title></template><title>It</title>",
            "<titles>No</titles><title>It</title>",
            "a < b </ c> <3 <title>It</title>",
            "<noscript><link></noscript><title>It</title>",
        ] {
            assert_eq!(title(page).as_deref(), Some("It"), "{page}");
        }
    }

    #[test]
    fn what_stands_in_a_title_is_text() {
        for (page, expected) in [
            ("<title>a <b>c</b> &amp; d</title>", "a <b>c</b> & d"),
            ("<title><!-- x --></title>", "<!-- x -->"),
            ("<title>&lt;/title&gt;</titl></title>", "</title></titl>"),
            ("<title> a\n\t b\r\n c&nbsp;d </title>", "a b c\u{a0}d"),
            ("<title>zażółć 🎉</title>", "zażółć 🎉"),
        ] {
            assert_eq!(title(page).as_deref(), Some(expected), "{page}");
        }
        let long = format!("<title>{}</title>", "é".repeat(MAX_CHARS + 1));
        assert_eq!(title(&long).expect("a title").chars().count(), MAX_CHARS);
    }

    #[test]
    fn a_page_can_have_none() {
        for page in [
            "",
            "text",
            "<title></title>",
            "<title> \n </title>",
            "<h1>No</h1>",
            "<",
            "<title",
            "<!--<title>No</title>",
            "<a b='<title>No",
        ] {
            assert_eq!(title(page), None, "{page}");
        }
    }

    #[test]
    fn hostile_pages_take_no_longer() {
        for piece in ["<", "</", "<!--", "<a ", "<svg>", "</title", "<title a='", "<script></", "&#", "<a b=\"", "<!"] {
            let page = piece.repeat(50_000 / piece.len());
            let began = std::time::Instant::now();
            let _ = title(&page);
            let _ = title(&format!("<title>{page}"));
            let _ = title(&format!("<script>{page}"));
            assert!(began.elapsed().as_secs() < 2, "{piece}: {:?}", began.elapsed());
        }
    }
}

//! E-mail addresses, RFC 5321 and RFC 6531 (with letters outside ASCII).

use core::ops::Range;

use crate::text::{before, is_unspaced, is_word};

/// The longest quoted local part that is looked for: 64 characters of RFC 5321 and its quotes.
const QUOTED: usize = 66;
/// The longest address in brackets, an IPv6 one.
const LITERAL: usize = 50;

/// The first e-mail address that begins at or after byte `from`.
///
/// Each `@` is looked at once, to the left no further than the `@` before it, so a whole text takes linear time.
pub(crate) fn next_email(text: &str, from: usize) -> Option<Range<usize>> {
    let mut floor = from;
    loop {
        let at = floor + text.get(floor..)?.find('@')?;
        if let (Some(start), Some(end)) = (local_start(text, floor, at), domain_end(text, at + 1)) {
            return Some(start..end);
        }
        floor = at + 1;
    }
}

/// Where the local part begins that ends before the `@`.
///
/// Of the signs that RFC 5321 allows in it, those that commonly stand before an address (`=`, `/`, `&`, `!`, ...) end it.
fn local_start(text: &str, floor: usize, at: usize) -> Option<usize> {
    let local = text.get(floor..at)?;
    let last = local.chars().next_back()?;
    if last == '"' {
        return quoted_start(local).map(|start| floor + start);
    }
    let mut start = None;
    for (index, c) in local.char_indices().rev() {
        if is_word(c) && (is_unspaced(last) || !is_unspaced(c)) || matches!(c, '_' | '+') {
            start = Some(floor + index);
        } else if !matches!(c, '.' | '-' | '%' | '\'' | '~') {
            break;
        }
    }
    start
}

/// Where a local part in quotes begins, such as `"a b"`.
fn quoted_start(local: &str) -> Option<usize> {
    let inner = local.strip_suffix('"')?;
    let (start, _) = inner.char_indices().rev().take(QUOTED).take_while(|(_, c)| !c.is_control()).find(|(_, c)| *c == '"')?;
    (start + 1 < inner.len()).then_some(start)
}

/// Where the domain ends that begins at byte `start`: at least two labels, the last one of letters.
fn domain_end(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    if rest.starts_with('[') {
        return literal_end(rest).map(|end| start + end);
    }
    let mut end = None;
    let mut at = 0;
    for index in 0.. {
        let label = label(rest.get(at..)?);
        if label.is_empty() || label.starts_with('-') {
            break;
        }
        let name = label.trim_end_matches('-');
        at += name.len();
        if index > 0 && is_top_level(name) {
            end = Some(start + at);
        }
        if name.len() < label.len() || !rest.get(at..)?.starts_with('.') {
            break;
        }
        at += 1;
    }
    end
}

/// The label at the beginning of the text, of one script.
fn label(text: &str) -> &str {
    let unspaced = text.chars().next().is_some_and(is_unspaced);
    let end = text.find(|c| !(c == '-' || (is_word(c) && (unspaced || !is_unspaced(c))))).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// Whether a domain can end in this label: two letters or more, or the ASCII form of a name outside ASCII.
fn is_top_level(label: &str) -> bool {
    let ascii_form = label.get(..4).is_some_and(|prefix| prefix.eq_ignore_ascii_case("xn--"));
    ascii_form || (label.chars().nth(1).is_some() && label.chars().all(|c| is_word(c) && !c.is_numeric()))
}

/// Where an address in brackets ends, such as `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
fn literal_end(text: &str) -> Option<usize> {
    let (end, _) = text.char_indices().take(LITERAL).find(|(_, c)| *c == ']')?;
    let inner = text.get(1..end)?;
    let address = inner.strip_prefix("IPv6:").unwrap_or(inner);
    let fits = address.contains(['.', ':']) && address.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, '.' | ':'));
    (fits && before(text, end) != Some('[')).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut emails = Vec::new();
        let mut from = 0;
        while let Some(span) = next_email(text, from) {
            from = span.end;
            emails.extend(text.get(span));
        }
        emails
    }

    #[test]
    fn an_address_is_found_in_each_way_of_writing() {
        for email in [
            "a@b.co",
            "alice@example.com",
            "Alice.B+tag@mail.example.co.uk",
            "o'brien@example.ie",
            "x_y-z%1@sub-domain.example.museum",
            "_service@example.com",
            "4111111111111111@example.com",
            "jürgen@bücher.example",
            "ju\u{308}rgen@example.com",
            "пользователь@пример.рф",
            "用户@例子.中国",
            "a@xn--bcher-kva.xn--p1ai",
            "a@1.2.example",
            "\"john doe\"@example.com",
            "root@[192.0.2.1]",
            "root@[IPv6:2001:db8::1]",
        ] {
            assert_eq!(found(email), [email]);
            for (front, behind) in [("<", ">"), ("mailto:", "?subject=x"), ("(", ")."), ("- ", ", "), ("'", "'"), ("…", "…")]
            {
                assert_eq!(found(&format!("{front}{email}{behind}")), [email], "{front}{behind}");
            }
        }
    }

    #[test]
    fn what_is_not_an_address_is_left() {
        for text in [
            "@",
            "@example.com",
            "alice@",
            "alice@localhost",
            "alice@example.c",
            "alice@.com",
            "alice@example..com",
            "alice@-example.com",
            "alice@1.2.3.4",
            "alice @example.com",
            "alice@ example.com",
            "\"\"@example.com",
            "\"a\nb\"@example.com",
            "...@example.com",
            "root@[]",
            "root@[example]",
            "root@[192.0.2.1",
            "@@@@@",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn letters_of_an_unspaced_script_beside_an_address_do_not_belong_to_it() {
        assert_eq!(found("请联系alice@example.com谢谢"), ["alice@example.com"]);
        assert_eq!(found("alice@example.com으로 보내세요"), ["alice@example.com"]);
        assert_eq!(found("alice@例え.jpです"), ["alice@例え.jp"]);
    }

    #[test]
    fn the_domain_ends_at_its_last_name() {
        assert_eq!(found("alice@example.com. Then"), ["alice@example.com"]);
        assert_eq!(found("alice@example.com.123"), ["alice@example.com"]);
        assert_eq!(found("alice@example.com-"), ["alice@example.com"]);
        assert_eq!(found("a@b.example,c@d.example;e@f.example"), ["a@b.example", "c@d.example", "e@f.example"]);
        assert_eq!(found("a@b@example.com"), ["b@example.com"]);
        assert_eq!(found("/?phone=1&email=a@b.example&x=c@d.example"), ["a@b.example", "c@d.example"]);
    }
}

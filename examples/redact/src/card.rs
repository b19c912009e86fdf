//! Payment card numbers, ISO/IEC 7812.

use crate::text::{after, before, digit, is_blank, is_dash, joins, last_two};

const DIGITS: core::ops::RangeInclusive<usize> = 13..=19;

/// The card numbers that begin at byte `start`: the byte after their end, and how many they are.
///
/// Single blanks or dashes may stand between the groups of a number. Where several ends would do, the last one counts. Where another
/// number begins inside the first and ends after it, only one of them can be meant, but both are covered, so that no part of the
/// right one is left.
pub(crate) fn cards_at(text: &str, start: usize) -> Option<(usize, u32)> {
    let mut end = number_at(text, start)?;
    let mut counted = end;
    let mut count = 1;
    let mut at = start;
    while let Some(next) = next_group(text, at, end) {
        at = next;
        if let Some(number) = number_at(text, at) {
            end = end.max(number);
            if at >= counted {
                counted = number;
                count += 1;
            }
        }
    }
    Some((end, count))
}

/// The longest number from here whose check digit is right.
fn number_at(text: &str, start: usize) -> Option<usize> {
    let (near, far) = last_two(text.get(..start)?);
    let fraction = near == Some('.') && far.and_then(digit).is_some();
    if fraction || joins(near) {
        return None;
    }
    let mut luhn = Luhn::default();
    let mut best = None;
    let mut divided = false;
    for (at, c) in text.get(start..)?.char_indices() {
        if let Some(value) = digit(c) {
            if luhn.length == *DIGITS.end() || (luhn.length == 0 && value == 0) {
                return best;
            }
            luhn.push(value);
            divided = false;
            let end = start + at + c.len_utf8();
            if luhn.is_valid() && ends(text, end) {
                best = Some(end);
            }
        } else if !divided && luhn.length > 0 && (is_blank(c) || is_dash(c)) {
            divided = true;
        } else {
            return best;
        }
    }
    best
}

/// Whether a number can end here: no longer word, no fraction.
fn ends(text: &str, end: usize) -> bool {
    match after(text, end) {
        Some('.') => after(text, end + 1).and_then(digit).is_none(),
        next => !joins(next),
    }
}

/// Where the next group of digits after `at` begins, if before `end`.
fn next_group(text: &str, at: usize, end: usize) -> Option<usize> {
    let group = text.get(at..end)?;
    group
        .char_indices()
        .map(|(index, c)| (at + index, c))
        .find(|(index, c)| *index > at && digit(*c).is_some() && before(text, *index).and_then(digit).is_none())
        .map(|(index, _)| index)
}

/// The check sum of ISO/IEC 7812-1 Annex B, for numbers of even and of odd length at once.
#[derive(Default)]
struct Luhn {
    length: usize,
    even: u32,
    odd: u32,
}

impl Luhn {
    fn push(&mut self, value: u8) {
        let plain = u32::from(value);
        let doubled = if plain > 4 { plain * 2 - 9 } else { plain * 2 };
        let (even, odd) = if self.length.is_multiple_of(2) { (doubled, plain) } else { (plain, doubled) };
        self.even += even;
        self.odd += odd;
        self.length += 1;
    }

    fn is_valid(&self) -> bool {
        let sum = if self.length.is_multiple_of(2) { self.even } else { self.odd };
        DIGITS.contains(&self.length) && sum.is_multiple_of(10)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        cards_at(text, 0).and_then(|(end, _)| text.get(..end))
    }

    #[test]
    fn a_right_number_is_found_in_each_way_of_writing() {
        for card in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111\u{a0}1111\u{2011}1111 1111",
            "4222222222222",
            "378282246310005",
            "3782 822463 10005",
            "5555 5555 5555 4444",
            "6011000990139424",
            "30569309025904",
            "6304000000000000000",
            "４１１１ １１１１ １１１１ １１１１",
            "٤١١١ ١١١١ ١١١١ ١١١١",
        ] {
            assert_eq!(found(card), Some(card));
            for behind in [".", ", and", " EUR", "/12", "\n1", "号"] {
                assert_eq!(found(&format!("{card}{behind}")), Some(card), "{behind}");
            }
        }
    }

    #[test]
    fn what_is_not_a_card_number_is_left() {
        for text in [
            "4111111111111112",
            "4111 1111 1111 1112",
            "411111111111",
            "41111111111111111111",
            "4111  1111  1111  1111",
            "4111.1111.1111.1111",
            "0000000000000000",
            "4111111111111111a",
            "4111111111111111.25",
            "4111111111111111_7",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn part_of_a_longer_word_or_number_is_left() {
        assert_eq!(cards_at("a4111111111111111", 1), None);
        assert_eq!(cards_at("3.4111111111111111", 2), None);
        assert_eq!(cards_at(".4111111111111111", 1), Some((17, 1)));
    }

    #[test]
    fn digits_around_a_card_number_do_not_hide_it() {
        assert_eq!(found("4111 1111 1111 1111 123"), Some("4111 1111 1111 1111"));
        assert_eq!(cards_at("12 4111 1111 1111 1111", 3), Some((22, 1)));
        assert_eq!(cards_at("4111 1111 1111 1111 5555 5555 5555 4444", 0), Some((39, 2)));
    }

    #[test]
    fn of_two_numbers_that_overlap_no_part_is_left() {
        let text = "22 4111 1111 1111 1111";
        assert_eq!(number_at(text, 0), Some(17));
        assert_eq!(cards_at(text, 0), Some((text.len(), 1)));
    }
}

//! Phone numbers: international, national with a leading zero, North American.

use crate::text::{after, digit, is_blank, is_dash, joins, last_two};

/// The most digits: 15 of ITU-T E.164, and two for a leading `00`.
const MOST_DIGITS: usize = 17;
const MOST_GROUPS: usize = 8;

/// The phone number that begins at byte `start`: the byte after its end. The item before it ends at byte `floor`, so what stands
/// before that is no part of a longer number.
///
/// It begins with `+`, an opening parenthesis or a digit. Dates and numbers with thousands apart are no phone numbers, and neither is a
/// bare row of digits that begins with neither `+` nor zero.
pub(crate) fn phone_at(text: &str, floor: usize, start: usize) -> Option<usize> {
    let (near, far) = last_two(text.get(floor..start)?);
    let behind_digit = far.and_then(digit).is_some();
    let plus = after(text, start).is_some_and(is_plus);
    let part = if plus { near.and_then(digit).is_some() } else { joins(near) };
    if part || (behind_digit && near.is_some_and(|c| is_dash(c) || matches!(c, '.' | '/' | ':'))) {
        return None;
    }
    let number = Number::read(text, start)?;
    if number.is_date() || (behind_digit && near.is_some_and(is_blank) && number.is_thousands()) {
        return None;
    }
    (1..=number.groups.len())
        .rev()
        .map(|count| number.first(count))
        .find(|groups| number.is_phone(groups) && groups.last().is_some_and(|group| !joins(after(text, group.end))))
        .and_then(|groups| groups.last().map(|group| group.end))
}

/// The sign before a country code, also in full width.
pub(crate) fn is_plus(c: char) -> bool {
    matches!(c, '+' | '\u{ff0b}')
}

/// A row of digits in groups, as it is written.
#[derive(Default)]
struct Number {
    plus: bool,
    parenthesis: bool,
    /// The first three digits.
    head: Vec<u8>,
    groups: Vec<Group>,
}

#[derive(Clone, Copy)]
struct Group {
    digits: usize,
    /// The byte after its last digit.
    end: usize,
    /// A dot, dash or slash stands between it and the group before.
    marked: bool,
    /// So does a closing parenthesis.
    closed: bool,
}

impl Number {
    fn read(text: &str, start: usize) -> Option<Self> {
        let mut number = Self::default();
        let mut gap = Gap::default();
        let mut total = 0;
        for (at, c) in text.get(start..)?.char_indices() {
            if let Some(value) = digit(c) {
                total += 1;
                if total > MOST_DIGITS {
                    number.drop_unfinished(gap.length == 0);
                    break;
                }
                if number.head.len() < 3 {
                    number.head.push(value);
                }
                let end = start + at + c.len_utf8();
                let last = number.groups.len() == MOST_GROUPS;
                match number.groups.last_mut() {
                    Some(group) if gap.length == 0 => {
                        group.digits += 1;
                        group.end = end;
                    }
                    _ if last => break,
                    _ => number.groups.push(Group { digits: 1, end, marked: gap.has(Sign::Mark), closed: gap.has(Sign::Close) }),
                }
                gap = Gap::default();
            } else if at == 0 && is_plus(c) {
                number.plus = true;
            } else if at == 0 && c == '(' {
                number.parenthesis = true;
            } else if number.groups.is_empty() && number.plus && gap.length == 0 && (c == '(' || is_blank(c)) {
                gap.push(c);
            } else if number.groups.is_empty() || !gap.push(c) {
                break;
            }
        }
        (!number.groups.is_empty()).then_some(number)
    }

    /// Takes back a group that would have gone on beyond the most digits.
    fn drop_unfinished(&mut self, unfinished: bool) {
        if unfinished {
            self.groups.pop();
        }
    }

    fn first(&self, count: usize) -> &[Group] {
        self.groups.get(..count).unwrap_or_default()
    }

    /// Whether these groups, from the first on, make a phone number.
    fn is_phone(&self, groups: &[Group]) -> bool {
        let total: usize = groups.iter().map(|group| group.digits).sum();
        let first = groups.first().map_or(0, |group| group.digits);
        if self.plus {
            return (8..=15).contains(&total) && self.head.first() != Some(&0);
        }
        if self.parenthesis && !groups.get(1).is_some_and(|group| group.closed) {
            return false;
        }
        match *self.head.as_slice() {
            [0, 0, next] if next != 0 => (10..=MOST_DIGITS).contains(&total) && (first == 2 || first > 3),
            [0, next, _] if next != 0 => first > 1 && (9..=12).contains(&total),
            _ if self.parenthesis => (2..=5).contains(&first) && (8..=12).contains(&total),
            [1, area, _] if area > 1 && first == 1 => groups.len() == 4 && is_north_american(groups.get(1..)),
            [area, ..] if area > 1 => groups.len() == 3 && is_north_american(Some(groups)),
            _ => false,
        }
    }

    /// Day, month and year in either order, with marks between them, and whatever comes after.
    fn is_date(&self) -> bool {
        let [first, second, third, ..] = self.groups.as_slice() else { return false };
        let bare = !self.plus && !self.parenthesis;
        bare && second.marked
            && third.marked
            && second.digits <= 2
            && matches!((first.digits, third.digits), (1 | 2, 4) | (4, 1 | 2))
    }

    fn is_thousands(&self) -> bool {
        !self.plus && !self.parenthesis && self.groups.iter().all(|group| group.digits == 3 && !group.marked)
    }
}

/// Area, exchange and line: three, three and four digits.
fn is_north_american(groups: Option<&[Group]>) -> bool {
    matches!(groups, Some([area, exchange, line]) if (area.digits, exchange.digits, line.digits) == (3, 3, 4))
}

/// What stands between two groups: at most three signs, each at most once, but for two blanks around another one.
#[derive(Default)]
struct Gap {
    signs: [Option<Sign>; 3],
    length: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Blank,
    /// A dot, dash or slash.
    Mark,
    Open,
    Close,
}

impl Gap {
    /// Adds a character; false where it ends the number.
    fn push(&mut self, c: char) -> bool {
        let sign = match c {
            '.' | '/' => Sign::Mark,
            '(' => Sign::Open,
            ')' => Sign::Close,
            _ if is_dash(c) => Sign::Mark,
            _ if is_blank(c) => Sign::Blank,
            _ => return false,
        };
        let last = self.length.checked_sub(1).and_then(|last| self.signs.get(last).copied().flatten());
        let again = if sign == Sign::Blank { last == Some(sign) } else { self.has(sign) };
        match self.signs.get_mut(self.length) {
            Some(place) if !again => *place = Some(sign),
            _ => return false,
        }
        self.length += 1;
        true
    }

    fn has(&self, sign: Sign) -> bool {
        self.signs.contains(&Some(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        phone_at(text, 0, 0).and_then(|end| text.get(..end))
    }

    #[test]
    fn a_phone_number_is_found_in_each_way_of_writing() {
        for phone in [
            "+49 30 1234567",
            "+49 (0)30 1234567",
            "+49 (0) 30 / 1234567",
            "+49-30-1234567",
            "+4930123456",
            "+1 (555) 123-4567",
            "+ 49 30 1234567",
            "+1.555.123.4567",
            "+44 20 7946 0958",
            "+33 1 23 45 67 89",
            "+86 138 0013 8000",
            "＋８１ ３ １２３４ ５６７８",
            "+٩٦٦ ٥٠ ١٢٣ ٤٥٦٧",
            "0049 30 1234567",
            "00 49 30 1234567",
            "004930123456",
            "030 1234567",
            "030/1234567",
            "0171-1234567",
            "01711234567",
            "01 23 45 67 89",
            "06.12.34.56.78",
            "(030) 1234567",
            "(555) 123-4567",
            "(555)123-4567",
            "(11) 91234-5678",
            "555-123-4567",
            "555.123.4567",
            "555 123 4567",
            "1-800-555-0199",
            "1 (800) 555-0199",
            "030\u{a0}1234\u{2011}567",
        ] {
            assert_eq!(found(phone), Some(phone));
            for behind in [".", ", or", " or", ")", "\n", "までお電話", " ext. 5"] {
                assert_eq!(found(&format!("{phone}{behind}")), Some(phone), "{behind}");
            }
        }
    }

    #[test]
    fn what_is_not_a_phone_number_is_left() {
        for text in [
            "12345678",
            "5551234567",
            "2024-01-15",
            "15.01.2024",
            "01/02/2024",
            "01.02.2024 12:30",
            "01-02-2024 1234",
            "2024-01-15 030",
            "192.168.100.200",
            "1 000 000 000",
            "1.000.000,00",
            "0.123456789",
            "0,1234567890",
            "00:15:30",
            "+1000",
            "+1234567",
            "+1234567890123456",
            "+0123456789",
            "000000000",
            "0123456789a",
            "01234567890123",
            "0-306-40615-2",
            "978-0-306-40615-7",
            "12-34",
            "155-123-4567",
            "(1) 2345678",
            "(12345678)",
            "(4111 1111 1111 1111)",
            "(555 123-4567",
            "()",
            "+",
            "(",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn part_of_a_longer_word_or_number_is_left() {
        for (text, start) in [
            ("x0301234567", 1),
            ("3.0301234567", 2),
            ("1-030-1234567", 2),
            ("5 012 345 678", 2),
            ("1+12345678", 1),
            ("2024-01-15T10:00:00+01000000", 19),
        ] {
            assert_eq!(phone_at(text, 0, start), None, "{text}");
        }
    }

    #[test]
    fn a_plus_may_follow_a_word() {
        assert_eq!(phone_at("Tel+4930123456", 0, 3), Some(14));
    }

    #[test]
    fn a_number_before_a_phone_number_does_not_hide_it() {
        assert_eq!(phone_at("10:30 030 1234567", 0, 6), Some(17));
        assert_eq!(phone_at("7 +49 30 1234567", 0, 2), Some(16));
        assert_eq!(phone_at("7,030 1234567", 0, 2), Some(13));
        assert_eq!(phone_at("030 1234567/030 7654321", 11, 12), Some(23));
    }
}

//! International bank account numbers, ISO 13616.

use crate::text::{after, before, is_blank, is_dash, joins};

/// The shortest and the longest IBAN of a country that the table does not name.
const LENGTHS: core::ops::RangeInclusive<usize> = 15..=34;

/// The IBAN that begins at byte `start`: the byte after its end.
///
/// Single blanks or dashes may stand between its characters if the length for its country is known; otherwise it has to be
/// written in one piece, since nothing else says where it ends.
pub(crate) fn iban_at(text: &str, start: usize) -> Option<usize> {
    if joins(before(text, start)) {
        return None;
    }
    let rest = text.get(start..)?;
    let mut country = rest.bytes().take(2);
    let country = [country.next()?.to_ascii_uppercase(), country.next()?.to_ascii_uppercase()];
    if !country.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let known = length_of(country);

    let mut number = Number::default();
    let mut divided = false;
    for (at, c) in rest.char_indices() {
        if c.is_ascii_alphanumeric() {
            divided = false;
            if !number.push(c) {
                return None;
            }
            if known == Some(number.length) {
                let end = start + at + 1;
                return (number.is_valid() && !joins(after(text, end))).then_some(end);
            }
        } else if known.is_some() && !divided && number.length >= 4 && (is_blank(c) || is_dash(c)) {
            divided = true;
        } else {
            let end = start + at;
            return (known.is_none() && number.is_valid() && !joins(Some(c))).then_some(end);
        }
    }
    (known.is_none() && number.is_valid()).then_some(text.len())
}

/// The characters read so far, as the remainders that the check needs.
#[derive(Default)]
struct Number {
    length: usize,
    /// The first four characters, which the check moves to the end.
    head: [u32; 4],
    /// The rest as a number modulo 97.
    body: u32,
}

impl Number {
    /// Adds a letter or digit; false where no IBAN can have it.
    fn push(&mut self, c: char) -> bool {
        let Some(value) = c.to_digit(36) else { return false };
        match self.head.get_mut(self.length) {
            Some(place) => {
                let after_country = self.length >= 2;
                if c.is_ascii_digit() != after_country {
                    return false;
                }
                *place = value;
            }
            None => self.body = join(self.body, value),
        }
        self.length += 1;
        self.length <= *LENGTHS.end()
    }

    /// ISO 7064 MOD 97-10: the first four characters at the end, letters as 10 to 35, the remainder is 1.
    fn is_valid(&self) -> bool {
        LENGTHS.contains(&self.length) && self.head.iter().fold(self.body, |sum, value| join(sum, *value)) == 1
    }
}

/// Writes the value behind the number, modulo 97.
fn join(number: u32, value: u32) -> u32 {
    let places = if value < 10 { 10 } else { 100 };
    (number * places + value) % 97
}

/// The length of an IBAN of this country, as the IBAN registry gives it.
fn length_of(country: [u8; 2]) -> Option<usize> {
    Some(match &country {
        b"NO" => 15,
        b"BE" => 16,
        b"DK" | b"FI" | b"FK" | b"FO" | b"GL" | b"NL" | b"SD" => 18,
        b"MK" | b"SI" => 19,
        b"AT" | b"BA" | b"EE" | b"KZ" | b"LT" | b"LU" | b"MN" | b"XK" => 20,
        b"CH" | b"HR" | b"LI" | b"LV" => 21,
        b"BG" | b"BH" | b"CR" | b"DE" | b"GB" | b"GE" | b"IE" | b"ME" | b"RS" | b"VA" => 22,
        b"AE" | b"GI" | b"IL" | b"IQ" | b"OM" | b"SO" | b"TL" => 23,
        b"AD" | b"CZ" | b"ES" | b"MD" | b"PK" | b"RO" | b"SA" | b"SE" | b"SK" | b"TN" | b"VG" => 24,
        b"LY" | b"PT" | b"ST" => 25,
        b"IS" | b"TR" => 26,
        b"BI" | b"DJ" | b"FR" | b"GR" | b"IT" | b"MC" | b"MR" | b"SM" => 27,
        b"AL" | b"AZ" | b"BY" | b"CY" | b"DO" | b"GT" | b"HN" | b"HU" | b"LB" | b"NI" | b"PL" | b"SV" => 28,
        b"BR" | b"EG" | b"PS" | b"QA" | b"UA" => 29,
        b"JO" | b"KW" | b"MU" | b"YE" => 30,
        b"MT" | b"SC" => 31,
        b"LC" => 32,
        b"RU" => 33,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        iban_at(text, 0).and_then(|end| text.get(..end))
    }

    #[test]
    fn a_right_iban_is_found_in_each_way_of_writing() {
        for iban in [
            "DE89370400440532013000",
            "de89370400440532013000",
            "DE89 3704 0044 0532 0130 00",
            "DE89-3704-0044-0532-0130-00",
            "DE89\u{a0}3704\u{202f}0044 0532 0130 00",
            "GB82 WEST 1234 5698 7654 32",
            "FR14 2004 1010 0505 0001 3M02 606",
            "NO93 8601 1117 947",
            "MT84MALT011000012345MTLCAST001S",
            "NL91ABNA0417164300",
            "CH93 0076 2011 6238 5295 7",
            "SA03 8000 0000 6080 1016 7519",
            "BR15 0000 0000 0000 1093 2840 814P 2",
        ] {
            assert_eq!(found(iban), Some(iban));
            let sentence = format!("{iban} EUR 100");
            assert_eq!(found(&sentence), Some(iban));
        }
    }

    #[test]
    fn a_country_without_a_known_length_is_found_in_one_piece_only() {
        assert_eq!(found("DZ580002100001113000000570."), Some("DZ580002100001113000000570"));
        assert_eq!(found("DZ58 0002 1000 0111 3000 0005 70"), None);
    }

    #[test]
    fn what_is_not_an_iban_is_left() {
        for text in [
            "DE88370400440532013000",
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "DE89  3704 0044 0532 0130 00",
            "DE89370400440532013000x",
            "D889370400440532013000",
            "89DE370400440532013000",
            "DEAB370400440532013000",
            "DE",
            "DE89",
            "",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn a_longer_word_is_no_iban() {
        assert_eq!(iban_at("xDE89370400440532013000", 1), None);
        assert_eq!(iban_at("账号DE89370400440532013000", 6), Some(28));
    }
}

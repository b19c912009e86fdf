//! Finds the items in a text and masks them.

use crate::bindings::exports::skillhall::redact::api::{Counts, Kinds, Redaction};
use crate::text::{before, digit};
use crate::{
    card::cards_at,
    email::next_email,
    iban::iban_at,
    phone::{is_plus, phone_at},
};

/// Masks all items of the kinds, from the first character to the last.
///
/// Where two kinds would do, an IBAN counts before a card number, and that before a phone number. A number that runs into an e-mail
/// address is masked with it. The time is linear in the length of the text: each finder looks a bounded way ahead, or
/// at each `@` once.
pub(crate) fn redact(text: &str, kinds: Kinds, mask: char) -> Redaction {
    let mut masked = String::with_capacity(text.len());
    let mut counts = Counts { emails: 0, phones: 0, cards: 0, ibans: 0 };
    let mut email = kinds.contains(Kinds::EMAILS).then(|| next_email(text, 0)).flatten();
    let mut at = 0;
    let mut kept = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let address = email.clone().filter(|span| span.start == at);
        let (end, masks): (usize, fn(char) -> bool) = if let Some(span) = address {
            counts.emails += 1;
            email = next_email(text, span.end);
            (span.end, |c| !matches!(c, '@' | '.'))
        } else if let Some(end) = number_at(text, kept, at, c, kinds, &mut counts) {
            (email.as_ref().map_or(end, |span| end.min(span.start)), char::is_alphanumeric)
        } else {
            at += c.len_utf8();
            continue;
        };
        masked.push_str(text.get(kept..at).unwrap_or_default());
        masked.extend(text.get(at..end).unwrap_or_default().chars().map(|c| if masks(c) { mask } else { c }));
        at = end;
        kept = end;
    }
    masked.push_str(text.get(kept..).unwrap_or_default());
    Redaction { text: masked, counts }
}

/// Counts the number that begins here with the character `c`: the byte after its end. The item before it ends at `floor`.
fn number_at(text: &str, floor: usize, at: usize, c: char, kinds: Kinds, counts: &mut Counts) -> Option<usize> {
    if c.is_ascii_alphabetic() {
        let end = kinds.contains(Kinds::IBANS).then(|| iban_at(text, at)).flatten()?;
        counts.ibans += 1;
        return Some(end);
    }
    let starts_group = digit(c).is_some() && before(text, at).and_then(digit).is_none();
    if kinds.contains(Kinds::CARDS)
        && starts_group
        && let Some((end, count)) = cards_at(text, at)
    {
        counts.cards += count;
        return Some(end);
    }
    if kinds.contains(Kinds::PHONES) && (starts_group || c == '(' || is_plus(c)) {
        let end = phone_at(text, floor, at)?;
        counts.phones += 1;
        return Some(end);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> (String, [u32; 4]) {
        counted(redact(text, Kinds::all(), '*'))
    }

    fn counted(Redaction { text, counts }: Redaction) -> (String, [u32; 4]) {
        (text, [counts.emails, counts.phones, counts.cards, counts.ibans])
    }

    #[test]
    fn each_kind_is_masked_and_counted() {
        let text = "Write to alice@example.com or call +49 30 1234567.\n\
                    Card 4111 1111 1111 1111, account DE89 3704 0044 0532 0130 00.";
        let (out, counts) = masked(text);
        assert_eq!(
            out,
            "Write to *****@*******.*** or call +** ** *******.\n\
             Card **** **** **** ****, account **** **** **** **** **** **."
        );
        assert_eq!(counts, [1, 1, 1, 1]);
    }

    #[test]
    fn a_text_without_items_is_unchanged() {
        for text in [
            "",
            "nothing here",
            "2024-01-15T10:00:00+01:00",
            "v1.2.3 of 192.168.0.1 at 12:30",
            "日本語だけの文章です。",
            "👩‍👩‍👧 e\u{301} \u{202e}x",
            "3f786850e387550fdab836ed7e6dc881de23001b",
            "123e4567-e89b-12d3-a456-426614174000",
            "@mention, a@b, 1 000 000 EUR (2024)",
        ] {
            assert_eq!(masked(text), (text.to_owned(), [0; 4]));
        }
    }

    #[test]
    fn the_characters_around_an_item_stay() {
        assert_eq!(masked("é4111111111111111").1, [0, 0, 0, 0]);
        assert_eq!(masked("卡号4111111111111111。").0, "卡号****************。");
        assert_eq!(masked("👉alice@example.com👈").0, "👉*****@*******.***👈");
        assert_eq!(masked("«jürgen@bücher.example»").0, "«******@******.*******»");
    }

    #[test]
    fn only_the_wanted_kinds_are_masked() {
        let text = "a@b.example +4930123456 4111111111111111 DE89370400440532013000";
        for (kinds, expected) in [
            (Kinds::EMAILS, [1, 0, 0, 0]),
            (Kinds::PHONES, [0, 1, 0, 0]),
            (Kinds::CARDS, [0, 0, 1, 0]),
            (Kinds::IBANS, [0, 0, 0, 1]),
            (Kinds::EMAILS | Kinds::IBANS, [1, 0, 0, 1]),
            (Kinds::empty(), [0, 0, 0, 0]),
        ] {
            let (out, counts) = counted(redact(text, kinds, '*'));
            assert_eq!(counts, expected);
            assert_eq!(out == text, expected == [0; 4]);
        }
    }

    #[test]
    fn a_number_inside_an_address_is_the_address() {
        assert_eq!(masked("4111111111111111@example.com").1, [1, 0, 0, 0]);
        assert_eq!(masked("+4930123456@example.com").1, [1, 0, 0, 0]);
        assert_eq!(masked("4111 1111 1111 1111@example.com"), ("**** **** **** ****@*******.***".to_owned(), [1, 0, 1, 0]));
    }

    #[test]
    fn many_items_in_a_row_are_all_masked() {
        assert_eq!(masked("4111111111111111,5555555555554444,378282246310005").1, [0, 0, 3, 0]);
        assert_eq!(masked("a@b.example;c@d.example e@f.example").1, [3, 0, 0, 0]);
        assert_eq!(masked("030 1234567, 0171 1234567; (555) 123-4567").1, [0, 3, 0, 0]);
        assert_eq!(masked("4111111111111111,0301234567,7,0171 1234567/0171 7654321").1, [0, 3, 1, 0]);
        let (out, counts) = masked("4111 1111 1111 1111 5555 5555 5555 4444");
        assert!(!out.contains(|c: char| c.is_ascii_digit()), "{out}");
        assert_eq!(counts[2], 2);
    }

    #[test]
    fn an_item_in_parentheses_is_masked_whole() {
        assert_eq!(masked("(4111 1111 1111 1111)"), ("(**** **** **** ****)".to_owned(), [0, 0, 1, 0]));
        assert_eq!(masked("(030 1234567)"), ("(*** *******)".to_owned(), [0, 1, 0, 0]));
        assert_eq!(masked("(555 123-4567)"), ("(*** ***-****)".to_owned(), [0, 1, 0, 0]));
        assert_eq!(masked("(a@b.example)"), ("(*@*.*******)".to_owned(), [1, 0, 0, 0]));
    }

    #[test]
    fn masking_what_is_masked_changes_nothing() {
        let text = "a@b.example, +49 30 1234567, 4111-1111-1111-1111, GB82 WEST 1234 5698 7654 32";
        for mask in ['*', '#', '█', '_', '-', '/', '(', '\''] {
            let once = redact(text, Kinds::all(), mask).text;
            let twice = counted(redact(&once, Kinds::all(), mask));
            assert_eq!(twice, (once, [0; 4]), "{mask}");
        }
    }

    const PIECES: [&str; 32] = [
        "a", "@", "a@", "@a.", "a.", "1", "0", "4", "1 ", "1-", "+1", "+", "(", ")", "(1", "DE89 ", "D", "DE", "\"", "\"@", ".",
        "é", "字", "\u{301}", "👩", "٣", "4111 ", "a@b.co", "[", "@[", "0 1.", "\n",
    ];

    #[test]
    fn no_pieces_of_text_make_it_fail() {
        for first in PIECES {
            for second in PIECES {
                let text = [first, second].concat().repeat(30);
                let out = redact(&text, Kinds::all(), '*');
                assert_eq!(out.text.chars().count(), text.chars().count());
            }
        }
    }

    #[test]
    fn the_time_is_linear() {
        for piece in PIECES {
            let text = piece.repeat(50_000);
            let begin = std::time::Instant::now();
            redact(&text, Kinds::all(), '*');
            println!("{piece:?} {:?}", begin.elapsed());
            assert!(begin.elapsed().as_secs() < 10, "{piece}");
        }
    }
}

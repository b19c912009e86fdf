//! A skill that masks personal data in text. What it offers stands in `wit/redact.wit`.

mod card;
mod email;
mod iban;
mod phone;
mod redact;
mod text;

use bindings::exports::skillhall::redact::api::{Guest, Kinds, Options, RedactError, Redaction};

skillhall_sdk::skill! { world: "skill", by: Redact }

struct Redact;

impl Guest for Redact {
    fn redact(text: String, options: Option<Options>) -> Result<Redaction, RedactError> {
        let (kinds, mask) = options.map_or((None, None), |options| (options.kinds, options.mask));
        let kinds = kinds.unwrap_or(Kinds::all());
        let mask = mask.unwrap_or('*');
        if kinds.is_empty() {
            return Err(RedactError::NoKinds);
        }
        if !text::is_mask(mask) {
            return Err(RedactError::MaskNotAllowed(mask));
        }
        Ok(redact::redact(&text, kinds, mask))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(kinds: Option<Kinds>, mask: Option<char>) -> Options {
        Options { kinds, mask }
    }

    #[test]
    fn without_options_all_kinds_are_masked_with_asterisks() {
        let redaction = Redact::redact("a@b.example 4111111111111111".to_owned(), None).expect("redacts");
        assert_eq!(redaction.text, "*@*.******* ****************");
        assert_eq!((redaction.counts.emails, redaction.counts.cards), (1, 1));
    }

    #[test]
    fn the_options_choose_kinds_and_mask() {
        let redaction = Redact::redact("a@b.example 4111111111111111".to_owned(), Some(options(Some(Kinds::EMAILS), Some('█'))));
        assert_eq!(redaction.expect("redacts").text, "█@█.███████ 4111111111111111");
    }

    #[test]
    fn bad_options_are_refused() {
        let refused = Redact::redact(String::new(), Some(options(Some(Kinds::empty()), None)));
        assert!(matches!(refused, Err(RedactError::NoKinds)));
        let refused = Redact::redact(String::new(), Some(options(None, Some('x'))));
        assert!(matches!(refused, Err(RedactError::MaskNotAllowed('x'))));
    }
}

//! A skill. What it offers stands in `wit/skill.wit`; the types in `bindings` are made from it.

use bindings::exports::{{rust_namespace}}::{{rust_name}}::api::{CountError, Counts, Guest};

#[allow(unsafe_code, clippy::all, reason = "made by wit-bindgen")]
mod bindings {
    wit_bindgen::generate!({ world: "skill", path: "wit", generate_all });
    use super::Skill;
    export!(Skill with_types_in self);
}

struct Skill;

impl Guest for Skill {
    fn count(text: String) -> Result<Counts, CountError> {
        if text.is_empty() {
            return Err(CountError::Empty);
        }
        Ok(count(&text))
    }
}

fn count(text: &str) -> Counts {
    let size = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Counts {
        words: size(text.split_whitespace().count()),
        lines: size(text.lines().count()),
        characters: size(text.chars().count()),
        longest: text.split_whitespace().max_by_key(|word| word.chars().count()).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lines_and_characters_are_counted() {
        let counts = count("one three\ntwo\n");
        assert_eq!((counts.words, counts.lines, counts.characters), (3, 2, 14));
        assert_eq!(counts.longest.as_deref(), Some("three"));
    }

    #[test]
    fn an_empty_text_is_an_error() {
        assert!(matches!(Skill::count(String::new()), Err(CountError::Empty)));
    }
}

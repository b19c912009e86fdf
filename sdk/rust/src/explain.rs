use std::error::Error;
use std::fmt::Write;

/// The most causes that are told.
const CAUSES: usize = 16;

/// The error and its causes as one text: `cannot read the table: line 3: not a number`.
///
/// For functions whose error type in WIT is `string`. A cause whose text the error before it has told already is left out, and so is
/// whatever comes after the sixteenth.
///
/// ```
/// fn parse(text: &str) -> Result<i32, String> {
///     text.parse::<i32>().map_err(skillhall_sdk::explain)
/// }
///
/// assert_eq!(parse("x"), Err("invalid digit found in string".to_owned()));
/// ```
pub fn explain(error: impl Error) -> String {
    let mut text = error.to_string();
    let mut told = text.clone();
    for cause in std::iter::successors(error.source(), |cause| (*cause).source()).take(CAUSES) {
        let next = cause.to_string();
        if !told.ends_with(&next) {
            // Writing to a string cannot fail.
            let _ = write!(text, ": {next}");
        }
        told = next;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt;

    #[derive(Debug)]
    struct Link(&'static str, Option<Box<Link>>);

    impl fmt::Display for Link {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Link {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.1.as_deref().map(|cause| cause as &dyn Error)
        }
    }

    fn chain(texts: &[&'static str]) -> Link {
        let (first, rest) = texts.split_first().expect("a text");
        Link(first, (!rest.is_empty()).then(|| Box::new(chain(rest))))
    }

    #[test]
    fn causes_follow_in_order() {
        assert_eq!(explain(chain(&["cannot read", "line 3", "not a number"])), "cannot read: line 3: not a number");
    }

    #[test]
    fn a_cause_that_was_told_is_not_told_again() {
        assert_eq!(explain(chain(&["cannot read: line 3", "line 3", "not a number"])), "cannot read: line 3: not a number");
    }

    #[test]
    fn the_number_of_causes_is_bounded() {
        let texts: Vec<&'static str> = ["a", "b"].into_iter().cycle().take(100).collect();
        assert_eq!(explain(chain(&texts)).len(), 1 + 3 * CAUSES);
    }
}

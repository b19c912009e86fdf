//! What does a filter give for a document?

use jaq_core::data::JustLut;
use jaq_core::load::{Arena, Error, File, Loader, lex};
use jaq_core::native::{Fun, bome, run as native, v};
use jaq_core::{Compiler, Ctx, Vars, compile, unwrap_valr};
use jaq_json::Val;

use crate::bindings::exports::skillhall::json_query::api::{QueryError, Unknown};
use crate::fault::fault;

/// The most brackets that can be open at once.
const MAX_DEPTH: u32 = 100;

/// The most words and signs of a filter.
const MAX_WORDS: u32 = 500;

/// The most characters of an error that are told.
const MAX_ERROR: usize = 2000;

/// What would reach out of the document. Each is an error in its place.
const LEFT_OUT: [&str; 5] = ["env", "halt", "now", "debug_empty", "stderr_empty"];

/// Gives each result to `each`, until that says no.
pub(crate) fn run(code: &str, document: Val, mut each: impl FnMut(Val) -> Result<bool, QueryError>) -> Result<(), QueryError> {
    bounded(code)?;
    let arena = Arena::default();
    let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let modules = Loader::new(definitions).load(&arena, File { code, path: () }).map_err(|errors| unreadable(code, errors))?;
    let filter = Compiler::default().with_funs(functions()).compile(modules).map_err(|errors| unknown(code, errors))?;
    let context = Ctx::<JustLut<Val>>::new(&filter.lut, Vars::new([]));
    for result in filter.id.run((context, document)).map(unwrap_valr) {
        let value = result.map_err(|error| QueryError::Failed(error.to_string().chars().take(MAX_ERROR).collect()))?;
        if !each(value)? {
            break;
        }
    }
    Ok(())
}

fn functions() -> impl Iterator<Item = Fun<JustLut<Val>>> {
    let known = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
    let refuse = |name, arity| {
        native((name, v(arity), |_| {
            bome(Err(jaq_core::Error::str("this skill knows the document only: no environment, clock, log or exit")))
        }))
    };
    known.filter(|(name, ..)| !LEFT_OUT.contains(name)).chain(LEFT_OUT.map(|name| refuse(name, usize::from(name == "halt"))))
}

/// What reads and runs a filter goes as deep as its brackets do, and as its operators and words follow each other: each needs its piece of the
/// stack.
fn bounded(code: &str) -> Result<(), QueryError> {
    let (mut open, mut words, mut in_word) = (0_u32, 0_u32, false);
    for c in code.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            _ => {}
        }
        let of_word = c.is_alphanumeric() || c == '_';
        words += u32::from(!(c.is_whitespace() || (of_word && in_word)));
        in_word = of_word;
        if open > MAX_DEPTH {
            return Err(QueryError::TooDeep(MAX_DEPTH));
        }
        if words > MAX_WORDS {
            return Err(QueryError::TooLong(MAX_WORDS));
        }
    }
    Ok(())
}

fn unreadable(code: &str, errors: jaq_core::load::Errors<&str, ()>) -> QueryError {
    let found = errors.into_iter().next().map(|(_, error)| error);
    QueryError::NotAFilter(match found {
        Some(Error::Lex(errors)) => match errors.first() {
            Some((expected, rest)) => fault(code, rest, &format!("expected {}", lexeme(expected))),
            None => fault(code, code, "not a filter"),
        },
        Some(Error::Parse(errors)) => match errors.first() {
            Some((expected, found)) => {
                let end = if found.is_empty() { ", but the filter ends there" } else { "" };
                fault(code, if found.is_empty() { "" } else { found }, &format!("expected {}{end}", expected.as_str()))
            }
            None => fault(code, code, "not a filter"),
        },
        Some(Error::Io(_)) => fault(code, code, "a filter cannot import or include others: write their definitions before it"),
        None => fault(code, code, "not a filter"),
    })
}

fn lexeme(expected: &lex::Expect<&str>) -> String {
    match expected {
        lex::Expect::Delim(open) => format!("what closes {open}"),
        other => other.as_str().to_owned(),
    }
}

fn unknown(code: &str, errors: compile::Errors<&str, ()>) -> QueryError {
    let found = errors.into_iter().flat_map(|(_, errors)| errors).next();
    let Some((name, kind)) = found else {
        return QueryError::NotAFilter(fault(code, code, "not a filter"));
    };
    let hint = match kind {
        compile::Undefined::Filter(arguments) => {
            let quoted = format!("to mean a text, write \"{name}\"; to mean a member, .{name}");
            match (name, arguments) {
                ("input" | "inputs", _) => "there is one document only, and it is in `.`".to_owned(),
                (_, 0) => quoted,
                (_, n) => format!("no function of that name takes {n} arguments: they are parted by semicolons, not commas"),
            }
        }
        compile::Undefined::Var => "a variable comes from `.. as $name | ..`, or from reduce, foreach or def".to_owned(),
        _ => "look at its spelling".to_owned(),
    };
    let at = fault(code, name, &format!("this {} is not known", kind.as_str()));
    QueryError::UnknownName(Unknown { at, name: name.to_owned(), hint })
}

//! Checking a value against a schema.

use std::borrow::Cow;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Draft, PatternOptions, ValidationError};
use serde_json::Value;

use super::check::{MAX_TEXT_DEPTH, check, is_deeper_than};
use super::{MAX_VALUE_DEPTH, MAX_VALUE_ELEMENTS, SchemaError};
use crate::json::in_order;

/// Bytes that a compiled regular expression, and each of its lazy automata, may take.
const PATTERN_BYTES: usize = 1 << 20;
/// The weight of a value whose violation is told in full although the schema has several forms for it.
const MAX_TOLD_WEIGHT: usize = 20_000;
/// Characters of a violation's message.
const MESSAGE_CHARS: usize = 400;

/// A schema that is ready to be checked against.
#[derive(Debug)]
pub struct Validator {
    inner: jsonschema::Validator,
    /// Whether it has several forms for one value: then the engine keeps every error of every form, with copies of the value.
    forms: bool,
}

/// The first thing that is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {message}", if pointer.is_empty() { "the value" } else { pointer })]
pub struct Violation {
    /// Where in the value, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// The schema keyword that it breaks; `depth` or `elements` for the bounds that every value has; `schema` if the value is
    /// too large to tell more.
    pub rule: String,
    /// What is wrong. It names members and bounds, and never quotes the value itself: that may be a secret.
    pub message: String,
}

impl Validator {
    /// Makes a validator of a draft 2020-12 schema. Nothing is fetched, `format` is asserted, and regular expressions run in linear
    /// time.
    ///
    /// # Errors
    /// If the schema is over a bound, is no schema, refers to anything but itself, refers to itself without end, names a format that
    /// is not known, or has a regular expression that is not regular (lookaround, backreferences) or too large.
    pub fn compile(schema: &Value) -> Result<Self, SchemaError> {
        // Which fault or violation comes first depends on the order of a schema's members.
        let ordered = if is_deeper_than(schema, MAX_TEXT_DEPTH) { Cow::Borrowed(schema) } else { in_order(schema) };
        let schema = &*ordered;
        check(schema)?;
        let inner = build(schema).map_err(|error| SchemaError::Refused {
            pointer: error.instance_path().to_string(),
            message: cut(&error.to_string()),
        })?;
        let text = schema.to_string();
        let forms = ["\"anyOf\"", "\"oneOf\""].iter().any(|keyword| text.contains(keyword));
        Ok(Self { inner, forms })
    }

    /// Checks a value. What is wrong is told in full only for a value that is small enough for that; a large one that does not fit has the
    /// rule `schema` and no place.
    ///
    /// # Errors
    /// The first violation, the bounds of nesting and length before all others.
    pub fn validate(&self, instance: &Value) -> Result<(), Violation> {
        bound(instance)?;
        if self.inner.is_valid(instance) {
            return Ok(());
        }
        if self.forms && weight(instance) > MAX_TOLD_WEIGHT {
            return Err(unplaced("schema", "it does not fit, and is too large to say where"));
        }
        // The two ways of asking agree; if they ever do not, the value does not pass.
        self.inner
            .validate(instance)
            .map_err(|error| violation(telling(&error)))
            .and_then(|()| Err(unplaced("schema", "it does not fit")))
    }
}

/// The engine's own part, on a schema that was checked.
pub(super) fn build(schema: &Value) -> Result<jsonschema::Validator, ValidationError<'static>> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .should_validate_formats(true)
        .should_ignore_unknown_formats(false)
        .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES))
        .build(schema)
}

fn bound(instance: &Value) -> Result<(), Violation> {
    if is_deeper_than(instance, MAX_VALUE_DEPTH) {
        return Err(unplaced("depth", &format!("it is nested deeper than {MAX_VALUE_DEPTH}")));
    }
    if elements(instance) > MAX_VALUE_ELEMENTS {
        return Err(unplaced("elements", &format!("it has more than {MAX_VALUE_ELEMENTS} elements and members")));
    }
    Ok(())
}

/// Array elements and object members at all levels. Called on a value whose nesting is bounded.
fn elements(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len() + items.iter().map(elements).sum::<usize>(),
        Value::Object(members) => members.len() + members.values().map(elements).sum::<usize>(),
        _ => 0,
    }
}

/// What telling about a value costs: its elements, and its text by the 64 bytes.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => 1 + text.len() / 64,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => 1 + members.iter().map(|(name, member)| name.len() / 64 + weight(member)).sum::<usize>(),
        _ => 1,
    }
}

fn unplaced(rule: &str, message: &str) -> Violation {
    Violation { pointer: String::new(), rule: rule.to_owned(), message: message.to_owned() }
}

/// Where none of several forms fits, the error of the form that was surely meant says more than that none fits: the one whose error lies
/// deepest in the value, or that alone is not about the type.
fn telling<'e, 'i>(error: &'e ValidationError<'i>) -> &'e ValidationError<'i>
where
    'i: 'e,
{
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) = error.kind() else {
        return error;
    };
    let depth = |error: &ValidationError<'_>| error.instance_path().as_str().matches('/').count();
    let here = depth(error);
    let forms: Vec<&ValidationError<'static>> = context.iter().filter_map(|form| form.first()).collect();
    if let Some(deepest) = forms.iter().max_by_key(|error| depth(error)).filter(|error| depth(error) > here) {
        return telling(deepest);
    }
    let mut fitting = forms.iter().filter(|error| !matches!(error.kind(), ValidationErrorKind::Type { .. }));
    match (fitting.next(), fitting.next()) {
        (Some(one), None) => telling(one),
        _ => error,
    }
}

fn violation(error: &ValidationError<'_>) -> Violation {
    Violation {
        pointer: error.instance_path().to_string(),
        rule: error.kind().keyword().to_owned(),
        message: cut(&error.masked_with("it").to_string()),
    }
}

fn cut(message: &str) -> String {
    let mut cut: String = message.chars().take(MESSAGE_CHARS).collect();
    if cut.len() < message.len() {
        cut.push_str(" ..");
    }
    cut
}

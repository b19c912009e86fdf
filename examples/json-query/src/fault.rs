//! Where in a text is the fault?

use crate::bindings::exports::skillhall::json_query::api::Fault;

/// A fault at a line and a column, both from 1.
pub(crate) fn at(line: usize, column: usize, message: &str) -> Fault {
    let number = |n: usize| u32::try_from(n.max(1)).unwrap_or(u32::MAX);
    Fault { line: number(line), column: number(column), message: message.to_owned() }
}

/// A fault at the part of the text that begins where `rest` does. What is not a part of the text counts as its end.
pub(crate) fn fault(text: &str, rest: &str, message: &str) -> Fault {
    let offset = rest.as_ptr().addr().checked_sub(text.as_ptr().addr());
    let before = offset.and_then(|offset| text.get(..offset)).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    at(line, column, message)
}

//! How are rows written?

use rusqlite::types::ValueRef;
use rusqlite::{Error, Statement};
use skillhall_sdk::tools::quoted;

use crate::bindings::exports::skillhall::sql_over_csv::api::{Answer, Form, QueryError};

/// The most bytes of an answer.
const MAX_BYTES: usize = 3 << 20;

/// Runs the query and writes so many rows of it at most.
pub(crate) fn write(
    query: &mut Statement,
    limit: u32,
    form: Form,
    failed: &dyn Fn(Error) -> QueryError,
) -> Result<Answer, QueryError> {
    let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
    let mut text = head(form, &columns);
    let mut rows = query.raw_query();
    let mut count = 0;
    let mut complete = true;
    while let Some(row) = rows.next().map_err(failed)? {
        if count == limit {
            complete = false;
            break;
        }
        let cells: Vec<ValueRef> = (0..columns.len()).map(|at| row.get_ref(at)).collect::<Result<_, _>>().map_err(failed)?;
        match form {
            Form::Csv => text.push_str(&line(cells.iter().map(plain))),
            Form::Markdown => text.push_str(&markdown(cells.iter().map(plain))),
            Form::Json => {
                let members: Vec<String> =
                    columns.iter().zip(&cells).map(|(name, cell)| format!("{}:{}", quoted(name), json(cell))).collect();
                text.push_str(if count == 0 { "\n{" } else { ",\n{" });
                text.push_str(&members.join(","));
                text.push('}');
            }
        }
        count += 1;
        if text.len() > MAX_BYTES {
            return Err(QueryError::TooLarge(MAX_BYTES as u64));
        }
    }
    if form == Form::Json {
        text.push_str(if count == 0 { "]" } else { "\n]" });
    }
    Ok(Answer { text, columns, rows: count, complete })
}

fn head(form: Form, columns: &[String]) -> String {
    match form {
        Form::Csv => line(columns.iter().cloned()),
        Form::Json => "[".to_owned(),
        Form::Markdown => markdown(columns.iter().cloned()) + &markdown(columns.iter().map(|_| "---".to_owned())),
    }
}

/// One line of CSV. A cell is in quotes where it has to be; a single empty one always, since an empty line would be none.
fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    let alone = cells.len() == 1;
    let written: Vec<String> = cells
        .into_iter()
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) || (alone && cell.is_empty()) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell
            }
        })
        .collect();
    written.join(",") + "\n"
}

fn markdown(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> =
        cells.map(|cell| cell.replace('\\', "\\\\").replace('|', "\\|").replace(['\n', '\r'], " ")).collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A value as text; of NULL nothing.
fn plain(value: &ValueRef) -> String {
    match value {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => hex(bytes),
    }
}

fn json(value: &ValueRef) -> String {
    match value {
        ValueRef::Null => "null".to_owned(),
        ValueRef::Real(number) if !number.is_finite() => "null".to_owned(),
        ValueRef::Integer(_) | ValueRef::Real(_) => plain(value),
        ValueRef::Text(_) | ValueRef::Blob(_) => quoted(&plain(value)),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

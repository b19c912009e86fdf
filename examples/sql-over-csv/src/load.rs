//! How does a CSV become a table?

use std::collections::HashSet;

use csv::{ReaderBuilder, StringRecord};
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use crate::ask;
use crate::bindings::exports::skillhall::sql_over_csv::api::{BadTable, QueryError, Table};

/// The most columns of a table.
const MAX_COLUMNS: usize = 500;

/// The name of a table and those of its columns.
pub(crate) struct Known {
    /// The table.
    pub(crate) name: String,
    /// Its columns.
    pub(crate) columns: Vec<String>,
}

/// What a column holds in all its cells.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Empty,
    Integer,
    Real,
    Text,
}

/// Makes a table of a CSV.
pub(crate) fn load(database: &mut Connection, table: &Table, delimiter: char) -> Result<Known, QueryError> {
    let refused = |message: String| QueryError::BadTable(BadTable { table: table.name.chars().take(60).collect(), message });
    if !is_name(&table.name) {
        return Err(refused(
            "the name is to have 1 to 60 letters, digits and underscores, and not to begin with a digit or sqlite_".to_owned(),
        ));
    }
    let (columns, rows) = read(&table.csv, delimiter, &refused)?;
    let kinds: Vec<Kind> = (0..columns.len()).map(|at| kind(&rows, at)).collect();
    let described: Vec<String> = columns
        .iter()
        .zip(&kinds)
        .map(|(name, kind)| {
            let kind = match kind {
                Kind::Integer => "INTEGER",
                Kind::Real => "REAL",
                Kind::Empty | Kind::Text => "TEXT",
            };
            format!("{} {kind}", quoted(name))
        })
        .collect();
    let failed = |error: rusqlite::Error| match ask::told(error, "", &[]) {
        QueryError::TooMuchMemory(bytes) => QueryError::TooMuchMemory(bytes),
        QueryError::NotSql(fault) => refused(fault.message),
        QueryError::Failed(message) => refused(message),
        other => other,
    };
    let transaction = database.transaction().map_err(failed)?;
    let name = quoted(&table.name);
    transaction.execute(&format!("CREATE TABLE {name} ({})", described.join(", ")), []).map_err(failed)?;
    {
        let places = vec!["?"; columns.len()].join(", ");
        let mut insert = transaction.prepare(&format!("INSERT INTO {name} VALUES ({places})")).map_err(failed)?;
        for row in &rows {
            insert.execute(params_from_iter(row.iter().zip(&kinds).map(|(cell, kind)| Cell(cell, *kind)))).map_err(failed)?;
        }
    }
    transaction.commit().map_err(failed)?;
    Ok(Known { name: table.name.clone(), columns })
}

fn is_name(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first
        && name.chars().count() <= 60
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !name.to_lowercase().starts_with("sqlite_")
}

fn read(
    csv: &str,
    delimiter: char,
    refused: &dyn Fn(String) -> QueryError,
) -> Result<(Vec<String>, Vec<StringRecord>), QueryError> {
    let byte = u8::try_from(delimiter).ok().filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0));
    let byte = byte.ok_or(QueryError::DelimiterNotAllowed(delimiter))?;
    let mut reader =
        ReaderBuilder::new().delimiter(byte).has_headers(false).from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let mut rows = Vec::new();
    for (at, row) in reader.records().enumerate() {
        rows.push(row.map_err(|error| match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                refused(format!("row {} has {len} cells, and the first row has {expected_len}", at + 1))
            }
            _ => refused(format!("row {} cannot be read", at + 1)),
        })?);
    }
    if rows.is_empty() {
        return Err(refused("it is empty: the first row is to hold the names of the columns".to_owned()));
    }
    let header = rows.remove(0);
    if header.len() > MAX_COLUMNS {
        return Err(refused(format!("it has more columns than {MAX_COLUMNS}")));
    }
    Ok((names(&header), rows))
}

/// The names of the columns, each one once, whatever its case.
fn names(header: &StringRecord) -> Vec<String> {
    let mut taken = HashSet::new();
    let mut names = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let name: String = name.chars().filter(|c| *c != '\0').collect();
        let name = if name.trim().is_empty() { format!("column_{}", at + 1) } else { name.trim().to_owned() };
        let mut own = name.clone();
        let mut times = 1;
        while !taken.insert(own.to_lowercase()) {
            times += 1;
            own = format!("{name}_{times}");
        }
        names.push(own);
    }
    names
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn kind(rows: &[StringRecord], column: usize) -> Kind {
    let cells = rows.iter().filter_map(|row| row.get(column)).map(str::trim).filter(|cell| !cell.is_empty());
    cells.fold(Kind::Empty, |kind, cell| match kind {
        Kind::Text => Kind::Text,
        _ if !is_plain(cell) => Kind::Text,
        Kind::Empty | Kind::Integer if cell.parse::<i64>().is_ok() => Kind::Integer,
        _ if cell.parse::<f64>().is_ok_and(f64::is_finite) => Kind::Real,
        _ => Kind::Text,
    })
}

/// Whether a cell can be a number: one with a superfluous zero in front is the name of something.
fn is_plain(cell: &str) -> bool {
    let digits = cell.trim_start_matches(['-', '+']);
    let mut bytes = digits.bytes();
    match (bytes.next(), bytes.next()) {
        (Some(b'0'), Some(next)) => !next.is_ascii_digit(),
        (Some(first), _) => first.is_ascii_digit() || first == b'.',
        _ => false,
    }
}

/// A cell as the database holds it.
struct Cell<'a>(&'a str, Kind);

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Self(cell, kind) = self;
        let number = match kind {
            _ if cell.trim().is_empty() => Some(Value::Null),
            Kind::Integer => cell.trim().parse().ok().map(Value::Integer),
            Kind::Real => cell.trim().parse().ok().map(Value::Real),
            Kind::Empty | Kind::Text => None,
        };
        Ok(number.map_or(ToSqlOutput::Borrowed(ValueRef::Text(cell.as_bytes())), ToSqlOutput::Owned))
    }
}

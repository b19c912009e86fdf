//! What stands in the CSV, and what of it is drawn?

use csv::{ReaderBuilder, StringRecord};

use crate::bindings::exports::skillhall::chart::api::{Cell, DrawError, Kind, Missing, Options};
use crate::date;

/// The most rows.
const MAX_ROWS: u32 = 10_000;
/// The most series: as many as there are colours that can be told apart.
const MAX_SERIES: u32 = 12;
/// The most bars.
const MAX_BARS: u32 = 1000;

/// What is drawn.
#[derive(Debug)]
pub(crate) struct Table {
    /// The name of the column along the horizontal axis.
    pub(crate) x_name: String,
    /// Its places.
    pub(crate) x: X,
    /// What is drawn over it; each has a value for each place.
    pub(crate) series: Vec<Series>,
    /// How many cells are left out.
    pub(crate) skipped: u32,
}

/// The places along the horizontal axis.
#[derive(Debug, PartialEq)]
pub(crate) enum X {
    /// Numbers.
    Numbers(Vec<f64>),
    /// Days from 1970-01-01.
    Days(Vec<i64>),
    /// Names, side by side.
    Names(Vec<String>),
}

/// One column of numbers.
#[derive(Debug)]
pub(crate) struct Series {
    /// The column's name.
    pub(crate) name: String,
    /// Its cells.
    pub(crate) values: Vec<Option<f64>>,
}

/// Reads the CSV and chooses what is drawn.
pub(crate) fn read(csv: &str, options: &Options, kind: Kind) -> Result<Table, DrawError> {
    let (names, rows) = records(csv, options.delimiter.unwrap_or(','))?;
    let find = |name: &String| {
        names
            .iter()
            .position(|column| column == name)
            .ok_or_else(|| DrawError::NoSuchColumn(Missing { column: name.clone(), columns: names.clone() }))
    };
    let x = options.x.as_ref().map_or(Ok(0), find)?;
    let chosen: Vec<usize> = match &options.y {
        Some(wanted) => {
            let chosen = wanted.iter().map(find).collect::<Result<Vec<usize>, _>>()?;
            for column in &chosen {
                if let Some(cell) = not_a_number(&names, &rows, *column) {
                    return Err(DrawError::NotANumber(cell));
                }
            }
            chosen
        }
        None => (0..names.len())
            .filter(|column| *column != x && not_a_number(&names, &rows, *column).is_none() && any(&rows, *column))
            .collect(),
    };
    if chosen.is_empty() {
        return Err(DrawError::NoNumbers(
            (0..names.len()).filter(|column| *column != x).find_map(|column| not_a_number(&names, &rows, column)),
        ));
    }
    if chosen.len() > MAX_SERIES as usize {
        return Err(DrawError::TooManySeries(MAX_SERIES));
    }
    if kind == Kind::Bar && rows.len() * chosen.len() > MAX_BARS as usize {
        return Err(DrawError::TooManyBars(MAX_BARS));
    }
    let (x_places, rows, left_out) = places(&rows, x, kind);
    let series: Vec<Series> = chosen
        .iter()
        .map(|column| Series {
            name: names.get(*column).cloned().unwrap_or_default(),
            values: rows.iter().map(|row| row.get(*column).and_then(number)).collect(),
        })
        .collect();
    let empty = series.iter().flat_map(|series| &series.values).filter(|value| value.is_none()).count();
    let skipped = u32::try_from(empty + left_out * series.len()).unwrap_or(u32::MAX);
    Ok(Table { x_name: names.get(x).cloned().unwrap_or_default(), x: x_places, series, skipped })
}

fn records(csv: &str, delimiter: char) -> Result<(Vec<String>, Vec<StringRecord>), DrawError> {
    let byte = u8::try_from(delimiter).ok().filter(|byte| byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r' | 0));
    let byte = byte.ok_or(DrawError::DelimiterNotAllowed(delimiter))?;
    let mut reader =
        ReaderBuilder::new().delimiter(byte).has_headers(false).from_reader(csv.trim_start_matches('\u{feff}').as_bytes());
    let mut rows = Vec::new();
    for (at, row) in reader.records().enumerate() {
        if at > MAX_ROWS as usize {
            return Err(DrawError::TooManyRows(MAX_ROWS));
        }
        rows.push(row.map_err(|_| DrawError::MalformedRow(u32::try_from(at + 1).unwrap_or(u32::MAX)))?);
    }
    if rows.len() < 2 {
        return Err(DrawError::NoRows);
    }
    let header = rows.remove(0);
    let names = header.iter().enumerate().map(|(at, name)| match name.trim() {
        "" => format!("column-{}", at + 1),
        name => name.to_owned(),
    });
    Ok((names.collect::<Vec<_>>(), rows))
}

fn number(cell: &str) -> Option<f64> {
    cell.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// The first cell of a column that holds something else than a number.
fn not_a_number(names: &[String], rows: &[StringRecord], column: usize) -> Option<Cell> {
    let (at, cell) = rows.iter().enumerate().find_map(|(at, row)| {
        let cell = row.get(column)?;
        (!cell.trim().is_empty() && number(cell).is_none()).then_some((at, cell))
    })?;
    let name = names.get(column).cloned().unwrap_or_default();
    Some(Cell { row: u32::try_from(at + 2).unwrap_or(u32::MAX), column: name, value: cell.chars().take(40).collect() })
}

fn any(rows: &[StringRecord], column: usize) -> bool {
    rows.iter().any(|row| row.get(column).is_some_and(|cell| !cell.trim().is_empty()))
}

/// The places of the rows, in order where they have one, and how many rows have no place.
fn places(rows: &[StringRecord], x: usize, kind: Kind) -> (X, Vec<&StringRecord>, usize) {
    let cells = || rows.iter().map(|row| row.get(x).unwrap_or_default().trim());
    let filled =
        |fits: &dyn Fn(&str) -> bool| cells().any(|cell| !cell.is_empty()) && cells().all(|cell| cell.is_empty() || fits(cell));
    if kind != Kind::Bar && filled(&|cell| number(cell).is_some()) {
        let mut placed: Vec<(f64, &StringRecord)> =
            rows.iter().filter_map(|row| Some((row.get(x).and_then(number)?, row))).collect();
        placed.sort_by(|a, b| a.0.total_cmp(&b.0));
        let left_out = rows.len() - placed.len();
        let (at, rows) = placed.into_iter().unzip();
        return (X::Numbers(at), rows, left_out);
    }
    if kind != Kind::Bar && filled(&|cell| date::days(cell).is_some()) {
        let mut placed: Vec<(i64, &StringRecord)> =
            rows.iter().filter_map(|row| Some((date::days(row.get(x)?.trim())?, row))).collect();
        placed.sort_by_key(|(day, _)| *day);
        let left_out = rows.len() - placed.len();
        let (at, rows) = placed.into_iter().unzip();
        return (X::Days(at), rows, left_out);
    }
    (X::Names(cells().map(str::to_owned).collect()), rows.iter().collect(), 0)
}

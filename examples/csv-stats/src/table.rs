//! What are the rows of the file?

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder};

use crate::bindings::exports::skillhall::csv_stats::api::{DescribeError, Ragged, Statistics};
use crate::column::{Growing, Room};
use crate::file::MAX_BYTES;

/// The most columns of a table.
const MAX_COLUMNS: u32 = 1_000;
/// How much is read at once.
const BLOCK: usize = 64 << 10;

/// The byte that stands between cells.
pub(crate) fn delimiter(sign: char) -> Result<u8, DescribeError> {
    match u8::try_from(sign) {
        Ok(byte) if byte == b'\t' || (byte.is_ascii() && !byte.is_ascii_control() && byte != b'"') => Ok(byte),
        _ => Err(DescribeError::DelimiterNotAllowed(sign)),
    }
}

/// Reads the table and describes it.
pub(crate) fn describe(file: impl Read, delimiter: u8, header: bool, most: u64) -> Result<Statistics, DescribeError> {
    // A file can grow while it is read.
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .buffer_capacity(BLOCK)
        .from_reader(file.take(MAX_BYTES));
    let mut table = Table::default();
    let mut record = ByteRecord::new();
    let mut row = 0;
    while reader.read_byte_record(&mut record).map_err(|_| DescribeError::NotReadable)? {
        row += 1;
        if row == 1 {
            table.begin(&record, header)?;
            if header {
                continue;
            }
        }
        if table.rows == most {
            return Ok(table.finish(false));
        }
        table.push(&record, row)?;
    }
    Ok(table.finish(true))
}

#[derive(Default)]
struct Table {
    rows: u64,
    columns: Vec<Growing>,
    room: Room,
}

impl Table {
    fn begin(&mut self, first: &ByteRecord, header: bool) -> Result<(), DescribeError> {
        if first.len() > MAX_COLUMNS as usize {
            return Err(DescribeError::TooManyColumns(MAX_COLUMNS));
        }
        for (place, cell) in first.iter().enumerate() {
            let name = std::str::from_utf8(cell).map_err(|_| DescribeError::NotUtf8(1))?.trim();
            let named = header && !name.is_empty();
            self.columns.push(Growing::new(if named { name.to_owned() } else { format!("column-{}", place + 1) }));
        }
        Ok(())
    }

    fn push(&mut self, record: &ByteRecord, row: u64) -> Result<(), DescribeError> {
        if record.len() != self.columns.len() {
            let count = |cells: usize| u32::try_from(cells).unwrap_or(u32::MAX);
            let (expected, found) = (count(self.columns.len()), count(record.len()));
            return Err(DescribeError::Ragged(Ragged { row, expected, found }));
        }
        for (column, cell) in self.columns.iter_mut().zip(record) {
            let cell = std::str::from_utf8(cell).map_err(|_| DescribeError::NotUtf8(row))?;
            column.push(cell, &mut self.room);
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(self, complete: bool) -> Statistics {
        Statistics { rows: self.rows, complete, columns: self.columns.into_iter().map(Growing::finish).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(text: &[u8]) -> Result<Statistics, DescribeError> {
        describe(text, b',', true, u64::MAX)
    }

    fn names(text: &str, header: bool) -> Vec<String> {
        let table = describe(text.as_bytes(), b',', header, u64::MAX).expect("described");
        table.columns.into_iter().map(|column| column.name).collect()
    }

    #[test]
    fn columns_have_names() {
        assert_eq!(names("a, b ,,a\n1,2,3,4\n", true), ["a", "b", "column-3", "a"]);
        assert_eq!(names("a,b\n", false), ["column-1", "column-2"]);
        assert_eq!(names("\u{feff}a,b\r\n1,2\r\n", true), ["a", "b"]);
        assert!(names("", true).is_empty());
    }

    #[test]
    fn cells_are_read_as_rfc_4180_writes_them() {
        let table = described(b"a,b\n\"x, \"\"y\"\"\nz\",1\n\nw,2\n").expect("described");
        assert_eq!((table.rows, table.complete), (2, true));
        let frequent: Vec<&str> =
            table.columns.iter().flat_map(|column| &column.frequent).map(|each| each.value.as_str()).collect();
        assert_eq!(frequent, ["w", "x, \"y\"\nz"]);
    }

    #[test]
    fn a_ragged_row_is_told_by_its_number() {
        for (text, expected, found) in [("a,b\n1,2\n3\n", 2, 1), ("a,b\n1,2\n3,4,5\n", 2, 3)] {
            let error = described(text.as_bytes()).expect_err("ragged");
            assert!(
                matches!(error, DescribeError::Ragged(Ragged { row: 3, expected: e, found: f }) if (e, f) == (expected, found)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_row_that_is_not_utf8_is_told_by_its_number() {
        assert!(matches!(described(b"a\n1\n\xff\n"), Err(DescribeError::NotUtf8(3))));
        assert!(matches!(described(b"\xff\n1\n"), Err(DescribeError::NotUtf8(1))));
    }

    #[test]
    fn no_more_rows_are_read_than_asked_for() {
        let read =
            |most| describe(&b"a\n1\n2\n3\n"[..], b',', true, most).map(|table| (table.rows, table.complete)).expect("described");
        assert_eq!([read(0), read(2), read(3), read(9)], [(0, false), (2, false), (3, true), (3, true)]);
    }

    #[test]
    fn too_many_columns_are_refused() {
        let text = ",".repeat(MAX_COLUMNS as usize);
        assert!(matches!(described(text.as_bytes()), Err(DescribeError::TooManyColumns(1_000))));
    }
}

//! What does a cell hold?

/// The content of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cell {
    Missing,
    Boolean,
    Integer(i64),
    Number(f64),
    Text,
}

impl Cell {
    /// What a cell holds. Blanks around it do not count.
    pub(crate) fn read(cell: &str) -> Self {
        let cell = cell.trim();
        if cell.is_empty() {
            return Self::Missing;
        }
        if cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("false") {
            return Self::Boolean;
        }
        if !is_decimal(cell) {
            return Self::Text;
        }
        if let Ok(integer) = cell.parse() {
            return Self::Integer(integer);
        }
        match cell.parse::<f64>() {
            Ok(number) if number.is_finite() => Self::Number(number),
            _ => Self::Text,
        }
    }
}

/// Whether it is written as a number: digits, which do not begin with a superfluous zero, and perhaps a sign, a point, an exponent.
fn is_decimal(cell: &str) -> bool {
    let unsigned = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let whole = unsigned.split(['.', 'e', 'E']).next().unwrap_or_default();
    let signs = unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte));
    signs && unsigned.bytes().any(|byte| byte.is_ascii_digit()) && (whole.len() < 2 || !whole.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_text() {
        for (cell, held) in [
            ("0", Cell::Integer(0)),
            (" -12 ", Cell::Integer(-12)),
            ("+7", Cell::Integer(7)),
            ("9223372036854775807", Cell::Integer(i64::MAX)),
            ("9223372036854775808", Cell::Number(9_223_372_036_854_775_808.0)),
            ("0.5", Cell::Number(0.5)),
            (".5", Cell::Number(0.5)),
            ("1e3", Cell::Number(1000.0)),
            ("-1.5E-3", Cell::Number(-0.0015)),
        ] {
            assert_eq!(Cell::read(cell), held, "{cell}");
        }
        for cell in ["007", "00.5", "1,5", "1 000", "inf", "NaN", "1e999", "-", "e", ".", "1-2", "2026-01-02", "0x1", "12a", "٣"]
        {
            assert_eq!(Cell::read(cell), Cell::Text, "{cell}");
        }
    }

    #[test]
    fn truth_and_nothing() {
        for cell in ["true", "FALSE", " True "] {
            assert_eq!(Cell::read(cell), Cell::Boolean, "{cell}");
        }
        for cell in ["", " ", "\t", "\u{a0}"] {
            assert_eq!(Cell::read(cell), Cell::Missing, "{cell:?}");
        }
        for cell in ["yes", "NA", "null", "truer"] {
            assert_eq!(Cell::read(cell), Cell::Text, "{cell}");
        }
    }
}

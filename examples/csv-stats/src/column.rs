//! What do the cells of a column hold together?

use std::collections::HashMap;

use crate::bindings::exports::skillhall::csv_stats::api::{Column, Kind, Numbers, Occurrence, Texts};
use crate::cell::Cell;

/// The most different values that are counted in a column.
const MAX_DISTINCT: usize = 10_000;
/// The most bytes of different values that are kept in a table.
const MAX_KEPT_BYTES: usize = 16 << 20;
/// The most numbers that are kept in a table for the medians.
const MAX_KEPT_NUMBERS: usize = 1_000_000;
const MOST_FREQUENT: usize = 10;
const SHOWN: usize = 100;

/// What all columns of a table may still keep.
pub(crate) struct Room {
    bytes: usize,
    numbers: usize,
}

impl Default for Room {
    fn default() -> Self {
        Self { bytes: MAX_KEPT_BYTES, numbers: MAX_KEPT_NUMBERS }
    }
}

/// A column of which cells are still to come.
pub(crate) struct Growing {
    name: String,
    count: u64,
    missing: u64,
    booleans: u64,
    integers: u64,
    numbers: Running,
    shortest: usize,
    longest: usize,
    values: HashMap<String, u64>,
    more_values: bool,
}

/// Numbers that go by (Welford's algorithm).
#[derive(Default)]
struct Running {
    count: u64,
    min: f64,
    max: f64,
    mean: f64,
    /// The sum of the squares of the differences from the mean.
    squares: f64,
    kept: Vec<f64>,
    more: bool,
}

impl Growing {
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            count: 0,
            missing: 0,
            booleans: 0,
            integers: 0,
            numbers: Running::default(),
            shortest: usize::MAX,
            longest: 0,
            values: HashMap::new(),
            more_values: false,
        }
    }

    /// Takes one more cell.
    pub(crate) fn push(&mut self, cell: &str, room: &mut Room) {
        match Cell::read(cell) {
            Cell::Missing => {
                self.missing += 1;
                return;
            }
            Cell::Boolean => self.booleans += 1,
            Cell::Integer(integer) => {
                self.integers += 1;
                #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 a mean is not exact anyhow")]
                self.numbers.push(integer as f64, room);
            }
            Cell::Number(number) => self.numbers.push(number, room),
            Cell::Text => {}
        }
        self.count += 1;
        let value = cell.trim();
        let characters = value.chars().count();
        self.shortest = self.shortest.min(characters);
        self.longest = self.longest.max(characters);
        self.count_value(value, room);
    }

    fn count_value(&mut self, value: &str, room: &mut Room) {
        if let Some(count) = self.values.get_mut(value) {
            *count += 1;
            return;
        }
        if self.values.len() >= MAX_DISTINCT || value.len() > room.bytes {
            self.more_values = true;
            return;
        }
        room.bytes -= value.len();
        self.values.insert(value.to_owned(), 1);
    }

    fn kind(&self) -> Kind {
        match self.count {
            0 => Kind::Empty,
            all if all == self.booleans => Kind::Boolean,
            all if all == self.integers => Kind::Integer,
            all if all == self.numbers.count => Kind::Number,
            _ => Kind::Text,
        }
    }

    /// The column, now that all cells are in.
    pub(crate) fn finish(self) -> Column {
        let kind = self.kind();
        let distinct = u32::try_from(self.values.len()).unwrap_or(u32::MAX);
        let texts =
            matches!(kind, Kind::Text).then(|| Texts { shortest: bounded(self.shortest), longest: bounded(self.longest) });
        let frequent = match kind {
            Kind::Text | Kind::Boolean if !self.more_values => most_frequent(self.values),
            _ => Vec::new(),
        };
        let numbers = matches!(kind, Kind::Integer | Kind::Number).then(|| self.numbers.finish());
        Column {
            name: self.name,
            kind,
            count: self.count,
            missing: self.missing,
            distinct,
            more_distinct: self.more_values,
            numbers,
            texts,
            frequent,
        }
    }
}

impl Running {
    fn push(&mut self, number: f64, room: &mut Room) {
        self.min = if self.count == 0 { number } else { self.min.min(number) };
        self.max = if self.count == 0 { number } else { self.max.max(number) };
        self.count += 1;
        let before = number - self.mean;
        self.mean += before / as_f64(self.count);
        self.squares += before * (number - self.mean);
        if room.numbers == 0 {
            self.more = true;
        } else {
            room.numbers -= 1;
            self.kept.push(number);
        }
    }

    fn finish(mut self) -> Numbers {
        let standard_deviation = (self.count > 1).then(|| (self.squares / as_f64(self.count - 1)).sqrt());
        let median = if self.more { None } else { median(&mut self.kept) };
        Numbers { min: self.min, max: self.max, mean: self.mean, standard_deviation, median }
    }
}

fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    let upper = *numbers.get(middle)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    Some(f64::midpoint(*numbers.get(middle.checked_sub(1)?)?, upper))
}

fn most_frequent(values: HashMap<String, u64>) -> Vec<Occurrence> {
    let mut all: Vec<(String, u64)> = values.into_iter().collect();
    all.sort_unstable_by(|(one, often), (other, oftener)| oftener.cmp(often).then_with(|| one.cmp(other)));
    all.truncate(MOST_FREQUENT);
    all.into_iter().map(|(value, count)| Occurrence { value: value.chars().take(SHOWN).collect(), count }).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a file has fewer rows than 2^53")]
fn as_f64(count: u64) -> f64 {
    count as f64
}

fn bounded(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(cells: &[&str]) -> Column {
        let (mut column, mut room) = (Growing::new("name".to_owned()), Room::default());
        for cell in cells {
            column.push(cell, &mut room);
        }
        column.finish()
    }

    #[test]
    fn the_kind_is_the_narrowest_that_holds_every_cell() {
        for (cells, kind) in [
            (["", " ", ""], Kind::Empty),
            (["1", "", "-2"], Kind::Integer),
            (["1", "2.5", ""], Kind::Number),
            (["true", "False", ""], Kind::Boolean),
            (["1", "true", ""], Kind::Text),
            (["1", "x", "2"], Kind::Text),
            (["01", "02", "03"], Kind::Text),
        ] {
            let column = column(&cells);
            assert_eq!(column.kind, kind, "{cells:?}");
            assert_eq!(column.numbers.is_some(), matches!(kind, Kind::Integer | Kind::Number), "{cells:?}");
            assert_eq!(column.texts.is_some(), kind == Kind::Text, "{cells:?}");
        }
    }

    fn near(one: f64, other: f64) -> bool {
        (one - other).abs() < 1e-9
    }

    #[test]
    fn numbers_are_summed_up() {
        let column = column(&["2", "4", "4", "4", "5", "5", "7", "9", "", " "]);
        assert_eq!((column.count, column.missing, column.distinct), (8, 2, 5));
        let numbers = column.numbers.expect("numbers");
        assert!(near(numbers.min, 2.0) && near(numbers.max, 9.0) && near(numbers.mean, 5.0));
        assert!(near(numbers.standard_deviation.expect("more than one"), (32.0_f64 / 7.0).sqrt()));
        assert!(near(numbers.median.expect("kept"), 4.5));
        assert!(column.frequent.is_empty());
    }

    #[test]
    fn a_single_number_has_no_deviation() {
        let numbers = column(&["-0.5"]).numbers.expect("numbers");
        assert_eq!(numbers.standard_deviation, None);
        assert!(near(numbers.median.expect("kept"), -0.5) && near(numbers.max, -0.5));
    }

    #[test]
    fn the_most_frequent_texts_come_first() {
        let column = column(&["b", "a", "b", "c", "a", "b", ""]);
        let frequent: Vec<(&str, u64)> = column.frequent.iter().map(|each| (each.value.as_str(), each.count)).collect();
        assert_eq!(frequent, [("b", 3), ("a", 2), ("c", 1)]);
        assert_eq!(column.texts.map(|texts| (texts.shortest, texts.longest)), Some((1, 1)));
    }

    #[test]
    fn too_many_different_values_are_told_and_not_ranked() {
        let cells: Vec<String> = (0..MAX_DISTINCT + 5).map(|number| format!("v{number}")).collect();
        let column = column(&cells.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((column.distinct, column.more_distinct, column.frequent.len()), (10_000, true, 0));
        let long = "x".repeat(500);
        let column = super::tests::column(&[&long]);
        assert_eq!(column.frequent.first().map(|each| each.value.len()), Some(SHOWN));
    }

    #[test]
    fn what_is_kept_is_bounded_for_the_whole_table() {
        let mut room = Room { bytes: 3, numbers: 1 };
        let mut column = Growing::new("name".to_owned());
        for cell in ["11", "22", "11"] {
            column.push(cell, &mut room);
        }
        let column = column.finish();
        assert_eq!((column.distinct, column.more_distinct), (1, true));
        let numbers = column.numbers.expect("numbers");
        assert_eq!(numbers.median, None);
        assert!(near(numbers.max, 22.0));
    }
}

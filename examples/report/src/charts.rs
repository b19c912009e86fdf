//! Which charts say the most about a table?

use crate::ask::{Column, Table};

/// A chart that is to be drawn.
pub(crate) struct Wanted {
    /// What stands above it.
    pub(crate) title: String,
    /// What stands below that.
    pub(crate) subtitle: String,
    /// What it shows.
    pub(crate) csv: String,
}

/// The most frequent values of each column of texts in which some are more frequent than others, and how much is missing where
/// something is.
pub(crate) fn wanted(table: &Table) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = table.columns.iter().filter_map(frequent).collect();
    let gaps: Vec<&Column> = table.columns.iter().filter(|column| column.missing > 0).collect();
    if !gaps.is_empty() {
        let rows = gaps.iter().take(20).map(|column| (column.name.as_str(), column.missing));
        wanted.push(Wanted {
            title: "Missing cells".to_owned(),
            subtitle: format!("of {} rows", table.rows),
            csv: csv("column", "missing", rows),
        });
    }
    wanted
}

fn frequent(column: &Column) -> Option<Wanted> {
    // Bars of one height would say nothing.
    let several = column.frequent.iter().zip(column.frequent.iter().skip(1)).any(|(one, next)| one.count != next.count);
    let rows = column.frequent.iter().map(|value| (value.value.as_str(), value.count));
    let shown = column.frequent.len();
    let subtitle = if u64::from(column.distinct) > shown as u64 || column.more_distinct {
        format!("the {shown} most frequent of {}{} values", column.distinct, if column.more_distinct { "+" } else { "" })
    } else {
        format!("all {shown} values")
    };
    several.then(|| Wanted { title: column.name.clone(), subtitle, csv: csv("value", "rows", rows) })
}

fn csv<'a>(name: &str, number: &str, rows: impl Iterator<Item = (&'a str, u64)>) -> String {
    let lines = rows.map(|(value, count)| format!("\"{}\",{count}\n", value.replace('"', "\"\"")));
    std::iter::once(format!("{name},{number}\n")).chain(lines).collect()
}

//! What do lines, bars and points look like?

use std::fmt::Write as _;

use crate::bindings::exports::skillhall::chart::api::Kind;
use crate::date;
use crate::frame::{Frame, n};
use crate::scale::number;
use crate::table::{Series, Table, X};
use crate::text::escaped;

/// Draws all series and says how many points or bars they have.
pub(crate) fn draw(svg: &mut String, frame: &Frame, table: &Table, kind: Kind, stacked: bool) -> u32 {
    match kind {
        Kind::Line => {
            let last = table.series.len().saturating_sub(1);
            // The first column is the most important one, so it lies above the others.
            for (i, series) in table.series.iter().enumerate().rev() {
                line(svg, frame, table, series, i, last == 0);
            }
        }
        Kind::Scatter => {
            for (i, series) in table.series.iter().enumerate() {
                points(svg, frame, table, series, i, 4.5, 0.65);
            }
        }
        Kind::Bar if stacked => stack(svg, frame, table),
        Kind::Bar => bars(svg, frame, table),
    }
    let count = table.series.iter().flat_map(|series| &series.values).flatten().count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Where a row stands from left to right.
fn x_of(table: &Table, row: usize) -> f64 {
    match &table.x {
        X::Numbers(at) => at.get(row).copied().unwrap_or(0.0),
        X::Days(days) => days.get(row).copied().unwrap_or(0) as f64,
        X::Names(_) => row as f64,
    }
}

/// What a row is called.
fn name_of(table: &Table, row: usize) -> String {
    match &table.x {
        X::Numbers(at) => at.get(row).map(|at| number(*at)).unwrap_or_default(),
        X::Days(days) => days.get(row).map(|day| date::whole(*day)).unwrap_or_default(),
        X::Names(names) => names.get(row).cloned().unwrap_or_default(),
    }
}

/// What is shown to whoever points at a mark.
fn told(table: &Table, series: &Series, row: usize, value: f64) -> String {
    escaped(&format!("{} · {}: {}", name_of(table, row), series.name, number(value)))
}

fn line(svg: &mut String, frame: &Frame, table: &Table, series: &Series, i: usize, alone: bool) {
    let colour = frame.colours.of(i);
    // A gap where a cell is empty.
    for part in gapless(series) {
        let places: Vec<String> =
            part.iter().map(|(row, value)| format!("{} {}", n(frame.at_x(x_of(table, *row))), n(frame.at_y(*value)))).collect();
        let (Some((first, _)), Some((last, _))) = (part.first(), part.last()) else { continue };
        let path = places.join("L");
        if alone && part.len() > 1 {
            let (from, to, ground) = (n(frame.at_x(x_of(table, *first))), n(frame.at_x(x_of(table, *last))), n(frame.ground()));
            let _ = writeln!(svg, "<path d=\"M{from} {ground}L{path}L{to} {ground}Z\" fill=\"{colour}\" fill-opacity=\".1\"/>");
        }
        let _ = writeln!(
            svg,
            "<path d=\"M{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\" stroke-linejoin=\"round\" stroke-linecap=\"round\"/>"
        );
    }
    let few = series.values.len() <= 60;
    if few || gapless(series).any(|part| part.len() == 1) {
        points(svg, frame, table, series, i, 3.5, 1.0);
    }
}

/// The runs of rows with a value.
fn gapless(series: &Series) -> impl Iterator<Item = Vec<(usize, f64)>> + '_ {
    let rows: Vec<(usize, Option<f64>)> = series.values.iter().copied().enumerate().collect();
    let parts: Vec<Vec<(usize, f64)>> = rows
        .split(|(_, value)| value.is_none())
        .map(|part| part.iter().filter_map(|(row, value)| Some((*row, (*value)?))).collect())
        .collect();
    parts.into_iter().filter(|part: &Vec<_>| !part.is_empty())
}

fn points(svg: &mut String, frame: &Frame, table: &Table, series: &Series, i: usize, radius: f64, opacity: f64) {
    let _ = writeln!(
        svg,
        "<g fill=\"{}\" fill-opacity=\"{opacity}\" stroke=\"{}\" stroke-width=\"1.2\">",
        frame.colours.of(i),
        frame.colours.ground
    );
    for (row, value) in series.values.iter().enumerate().filter_map(|(row, value)| Some((row, (*value)?))) {
        let (x, y) = (n(frame.at_x(x_of(table, row))), n(frame.at_y(value)));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"><title>{}</title></circle>",
            told(table, series, row, value)
        );
    }
    svg.push_str("</g>\n");
}

fn bars(svg: &mut String, frame: &Frame, table: &Table) {
    let count = table.series.len().max(1) as f64;
    let width = (frame.band() * if count > 1.0 { 0.8 } else { 0.68 } / count).min(90.0);
    let rows = table.series.first().map_or(0, |series| series.values.len());
    for (i, series) in table.series.iter().enumerate() {
        let _ = writeln!(svg, "<g fill=\"{}\">", frame.colours.of(i));
        for (row, value) in series.values.iter().enumerate().filter_map(|(row, value)| Some((row, (*value)?))) {
            let left = frame.at_x(x_of(table, row)) + (i as f64 - count / 2.0) * width;
            bar(svg, left, width, frame.ground(), frame.at_y(value), true, &told(table, series, row, value));
        }
        svg.push_str("</g>\n");
    }
    let Some(series) = table.series.first().filter(|_| table.series.len() == 1 && rows <= 15 && frame.band() >= 44.0) else {
        return;
    };
    // Few bars have room for their numbers.
    for (row, value) in series.values.iter().enumerate().filter_map(|(row, value)| Some((row, (*value)?))) {
        let (x, y) = (frame.at_x(x_of(table, row)), frame.at_y(value));
        let y = if y <= frame.ground() { y - 6.0 } else { y + 15.0 };
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" font-size=\"12\" font-weight=\"600\" fill=\"{}\" text-anchor=\"middle\">{}</text>",
            n(x),
            n(y),
            frame.colours.of(0),
            escaped(&number(value))
        );
    }
}

fn stack(svg: &mut String, frame: &Frame, table: &Table) {
    let width = (frame.band() * 0.68).min(90.0);
    let rows = table.series.first().map_or(0, |series| series.values.len());
    let mut above = vec![0.0_f64; rows];
    let mut below = vec![0.0_f64; rows];
    for (i, series) in table.series.iter().enumerate() {
        let _ = writeln!(svg, "<g fill=\"{}\" stroke=\"{}\" stroke-width=\"1\">", frame.colours.of(i), frame.colours.ground);
        for (row, value) in series.values.iter().enumerate().filter_map(|(row, value)| Some((row, (*value)?))) {
            let Some(from) = (if value < 0.0 { &mut below } else { &mut above }).get_mut(row) else { continue };
            let to = *from + value;
            let left = frame.at_x(x_of(table, row)) - width / 2.0;
            bar(svg, left, width, frame.at_y(*from), frame.at_y(to), false, &told(table, series, row, value));
            *from = to;
        }
        svg.push_str("</g>\n");
    }
}

/// A bar from one height to another; the corners at its end are round.
fn bar(svg: &mut String, left: f64, width: f64, from: f64, to: f64, round: bool, told: &str) {
    let height = (from - to).abs();
    let radius = if round { 3.0_f64.min(width / 2.0).min(height) } else { 0.0 };
    let (sign, sweep) = if to <= from { (1.0, 1) } else { (-1.0, 0) };
    let (r, up) = (n(radius), n(to + sign * radius));
    let _ = writeln!(
        svg,
        "<path d=\"M{} {}V{up}a{r} {r} 0 0 {sweep} {r} {}h{}a{r} {r} 0 0 {sweep} {r} {}V{}Z\"><title>{told}</title></path>",
        n(left),
        n(from),
        n(-sign * radius),
        n(width - 2.0 * radius),
        n(sign * radius),
        n(from)
    );
}

//! A skill that draws charts of CSV as SVG. What it offers stands in `wit/chart.wit`.
#![expect(clippy::cast_precision_loss, reason = "counts that are turned into places on a drawing are small")]

mod date;
mod frame;
mod marks;
mod scale;
mod table;
mod text;

use bindings::exports::skillhall::chart::api::{DrawError, Drawing, Guest, Kind, Options, Theme};

skillhall_sdk::skill! { world: "skill", by: Chart }

struct Chart;

impl Guest for Chart {
    fn draw(csv: String, options: Option<Options>) -> Result<Drawing, DrawError> {
        let options = options.unwrap_or(Options {
            kind: None,
            title: None,
            subtitle: None,
            x: None,
            y: None,
            x_label: None,
            y_label: None,
            stacked: None,
            theme: None,
            width: None,
            height: None,
            delimiter: None,
        });
        let (width, height) = (options.width.unwrap_or(800), options.height.unwrap_or(450));
        if !(240..=2000).contains(&width) || !(160..=2000).contains(&height) {
            return Err(DrawError::SizeNotAllowed);
        }
        let kind = options.kind.unwrap_or(Kind::Line);
        let table = table::read(&csv, &options, kind)?;
        let stacked = options.stacked.unwrap_or(false) && kind == Kind::Bar;
        let dark = options.theme == Some(Theme::Dark);
        let titles = frame::Titles {
            title: text::line(options.title.as_deref()),
            subtitle: text::line(options.subtitle.as_deref()),
            x: text::line(options.x_label.as_deref().or(Some(&table.x_name))),
            y: text::line(options.y_label.as_deref()),
        };
        let frame = frame::Frame::new(f64::from(width), f64::from(height), &titles, &table, kind, stacked, dark);
        let mut svg = frame.begin(&titles, &table);
        let points = marks::draw(&mut svg, &frame, &table, kind, stacked);
        svg.push_str("</svg>\n");
        let series = table.series.into_iter().map(|series| series.name).collect();
        Ok(Drawing { svg, series, points, skipped: table.skipped })
    }
}

#[cfg(test)]
mod tests;

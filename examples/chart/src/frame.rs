//! Where does what stand, and what does all around the marks look like?

use std::fmt::Write as _;

use crate::bindings::exports::skillhall::chart::api::Kind;
use crate::date;
use crate::scale::Ticks;
use crate::table::{Table, X};
use crate::text::{escaped, shortened, width};

/// What stands beside the marks.
pub(crate) struct Titles {
    /// Above.
    pub(crate) title: Option<String>,
    /// Below that.
    pub(crate) subtitle: Option<String>,
    /// At the horizontal axis.
    pub(crate) x: Option<String>,
    /// At the vertical axis.
    pub(crate) y: Option<String>,
}

/// The colours of a theme.
pub(crate) struct Colours {
    /// Behind everything.
    pub(crate) ground: &'static str,
    strong: &'static str,
    soft: &'static str,
    grid: &'static str,
    axis: &'static str,
    series: [&'static str; 12],
}

const LIGHT: Colours = Colours {
    ground: "#ffffff",
    strong: "#0f172a",
    soft: "#64748b",
    grid: "#e2e8f0",
    axis: "#94a3b8",
    series: [
        "#2563eb", "#f97316", "#059669", "#9333ea", "#dc2626", "#0891b2", "#ca8a04", "#db2777", "#65a30d", "#475569", "#7c2d12",
        "#1e3a8a",
    ],
};

const DARK: Colours = Colours {
    ground: "#0f172a",
    strong: "#f8fafc",
    soft: "#94a3b8",
    grid: "#1e293b",
    axis: "#475569",
    series: [
        "#60a5fa", "#fb923c", "#34d399", "#c084fc", "#f87171", "#22d3ee", "#facc15", "#f472b6", "#a3e635", "#cbd5e1", "#fdba74",
        "#a5b4fc",
    ],
};

impl Colours {
    /// That of a series.
    pub(crate) fn of(&self, series: usize) -> &'static str {
        self.series.get(series % self.series.len()).copied().unwrap_or(self.strong)
    }
}

/// Text at the axes.
const SMALL: f64 = 12.0;
const EDGE: f64 = 24.0;
/// How far a name that is set aslant reaches.
const ASLANT: f64 = 120.0;

/// The place for the marks, and how values are put in it.
pub(crate) struct Frame {
    width: f64,
    height: f64,
    /// The left edge of the marks.
    pub(crate) left: f64,
    /// The right edge.
    pub(crate) right: f64,
    /// The upper edge.
    pub(crate) top: f64,
    /// The lower edge.
    pub(crate) bottom: f64,
    x: (f64, f64),
    y: Ticks,
    aslant: bool,
    /// The colours.
    pub(crate) colours: Colours,
    legend: Vec<(f64, f64)>,
}

impl Frame {
    /// Makes room for everything.
    pub(crate) fn new(width: f64, height: f64, titles: &Titles, table: &Table, kind: Kind, stacked: bool, dark: bool) -> Self {
        let mut top = EDGE;
        top += if titles.title.is_some() { 22.0 } else { 0.0 };
        top += if titles.subtitle.is_some() { 20.0 } else { 0.0 };
        let legend = legend(table, width, &mut top);
        top += if titles.y.is_some() { 36.0 } else { 14.0 };
        let below = if titles.x.is_some() { 24.0 } else { 4.0 };
        let (least, most) = extent(table, kind, stacked);
        let y = Ticks::around(least, most, ((height - top - below - 40.0) / 55.0).max(2.0));
        let widest = y.at.iter().map(|at| self::width(&y.label(*at), SMALL)).fold(0.0, f64::max);
        let left = (EDGE + widest + 10.0).min(width / 3.0);
        let right = width - EDGE;
        let (aslant, reach) = match &table.x {
            X::Names(names) => {
                let widest = names.iter().map(|name| self::width(name, SMALL)).fold(0.0, f64::max);
                let aslant = widest > (right - left) / names.len().max(1) as f64 - 8.0;
                (aslant, if aslant { (widest.min(ASLANT) * 0.64 + 8.0).min(height / 3.0) } else { 0.0 })
            }
            _ => (false, 0.0),
        };
        let bottom = (height - EDGE / 2.0 - 22.0 - below - reach).max(top + 20.0);
        Self {
            width,
            height,
            left,
            right,
            top,
            bottom,
            x: places(table, kind),
            y,
            aslant,
            colours: if dark { DARK } else { LIGHT },
            legend,
        }
    }

    /// Where a value stands from left to right; of a name its number.
    pub(crate) fn at_x(&self, value: f64) -> f64 {
        let (from, to) = self.x;
        self.left + share(value, from, to) * (self.right - self.left)
    }

    /// Where a value stands from top to bottom.
    pub(crate) fn at_y(&self, value: f64) -> f64 {
        let (from, to) = self.y.range();
        self.bottom - share(value, from, to) * (self.bottom - self.top)
    }

    /// Where bars begin: at zero, or at the edge that is nearest to it.
    pub(crate) fn ground(&self) -> f64 {
        let (from, to) = self.y.range();
        self.at_y(0.0_f64.clamp(from, to))
    }

    /// The room that each name has.
    pub(crate) fn band(&self) -> f64 {
        (self.right - self.left) / (self.x.1 - self.x.0)
    }

    /// Everything but the marks.
    pub(crate) fn begin(&self, titles: &Titles, table: &Table) -> String {
        let (w, h, c) = (self.width, self.height, &self.colours);
        let name = escaped(titles.title.as_deref().unwrap_or("Chart"));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{name}\" \
             font-family=\"Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif\">\n\
             <rect width=\"{w}\" height=\"{h}\" rx=\"10\" fill=\"{}\"/>\n",
            c.ground
        );
        let mut y = EDGE;
        if let Some(title) = &titles.title {
            y += 12.0;
            text(
                &mut svg,
                EDGE,
                y,
                &shortened(title, 19.0, w - 2.0 * EDGE),
                &format!("font-size=\"19\" font-weight=\"600\" fill=\"{}\"", c.strong),
            );
            y += 10.0;
        }
        if let Some(subtitle) = &titles.subtitle {
            y += 12.0;
            text(&mut svg, EDGE, y, &shortened(subtitle, 13.0, w - 2.0 * EDGE), &format!("font-size=\"13\" fill=\"{}\"", c.soft));
        }
        for (i, ((x, y), series)) in self.legend.iter().zip(&table.series).enumerate() {
            let _ = writeln!(
                svg,
                "<rect x=\"{}\" y=\"{}\" width=\"11\" height=\"11\" rx=\"3\" fill=\"{}\"/>",
                n(*x),
                n(y - 10.0),
                c.of(i)
            );
            text(
                &mut svg,
                x + 17.0,
                *y,
                &shortened(&series.name, SMALL, 160.0),
                &format!("font-size=\"{SMALL}\" fill=\"{}\"", c.strong),
            );
        }
        if let Some(label) = &titles.y {
            let most = self.right - EDGE;
            text(
                &mut svg,
                EDGE,
                self.top - 14.0,
                &shortened(label, SMALL, most),
                &format!("font-size=\"{SMALL}\" fill=\"{}\"", c.soft),
            );
        }
        self.vertical(&mut svg);
        self.horizontal(&mut svg, &table.x);
        if let Some(label) = &titles.x {
            let style = format!("font-size=\"{SMALL}\" fill=\"{}\" text-anchor=\"middle\"", c.soft);
            let label = shortened(label, SMALL, self.right - self.left);
            text(&mut svg, f64::midpoint(self.left, self.right), h - EDGE / 2.0 - 4.0, &label, &style);
        }
        svg
    }

    fn vertical(&self, svg: &mut String) {
        let (left, right) = (n(self.left), n(self.right));
        for tick in &self.y.at {
            let y = self.at_y(*tick);
            let _ = writeln!(svg, "<path d=\"M{left} {}H{right}\" stroke=\"{}\"/>", n(y), self.colours.grid);
            let style = format!("font-size=\"{SMALL}\" fill=\"{}\" text-anchor=\"end\"", self.colours.soft);
            text(svg, self.left - 10.0, y + 4.0, &self.y.label(*tick), &style);
        }
        let _ = writeln!(
            svg,
            "<path d=\"M{left} {}H{right}\" stroke=\"{}\" stroke-width=\"1.5\"/>",
            n(self.ground()),
            self.colours.axis
        );
    }

    fn horizontal(&self, svg: &mut String, x: &X) {
        let style = |anchor: &str| format!("font-size=\"{SMALL}\" fill=\"{}\" text-anchor=\"{anchor}\"", self.colours.soft);
        let room = self.right - self.left;
        let y = self.bottom + 19.0;
        match x {
            X::Numbers(_) => {
                let ticks = Ticks::around(self.x.0, self.x.1, (room / 90.0).max(2.0));
                for tick in ticks.at.iter().filter(|tick| (self.x.0..=self.x.1).contains(*tick)) {
                    self.notch(svg, self.at_x(*tick));
                    text(svg, self.at_x(*tick), y, &ticks.label(*tick), &style("middle"));
                }
            }
            X::Days(days) => {
                let (from, to) = (days.first().copied().unwrap_or(0), days.last().copied().unwrap_or(0));
                #[expect(clippy::cast_possible_truncation, reason = "a width of at most 2000")]
                for (day, label) in date::ticks(from, to, (room / 85.0) as i64) {
                    self.notch(svg, self.at_x(day as f64));
                    text(svg, self.at_x(day as f64), y, &label, &style("middle"));
                }
            }
            X::Names(names) => {
                // Each second or third where not all have room.
                let step = if self.aslant { (16.0 / self.band()).ceil().max(1.0) } else { 1.0 };
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to the number of names")]
                for (i, name) in names.iter().enumerate().step_by(step as usize) {
                    let at = self.at_x(i as f64);
                    if self.aslant {
                        let name = escaped(&shortened(name, SMALL, ASLANT));
                        let (x, y) = (n(at + 4.0), n(self.bottom + 15.0));
                        let _ =
                            writeln!(svg, "<text transform=\"translate({x} {y}) rotate(-40)\" {}>{name}</text>", style("end"));
                    } else {
                        text(svg, at, y, &shortened(name, SMALL, self.band()), &style("middle"));
                    }
                }
            }
        }
    }

    fn notch(&self, svg: &mut String, x: f64) {
        let _ = writeln!(svg, "<path d=\"M{} {}v5\" stroke=\"{}\"/>", n(x), n(self.bottom), self.colours.axis);
    }
}

fn text(svg: &mut String, x: f64, y: f64, text: &str, style: &str) {
    let _ = writeln!(svg, "<text x=\"{}\" y=\"{}\" {style}>{}</text>", n(x), n(y), escaped(text));
}

/// A place, to a tenth.
pub(crate) fn n(place: f64) -> String {
    let text = format!("{place:.1}");
    text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
}

/// How far a value lies between two others, from 0 to 1. By halves, because a difference can be too large for a number.
fn share(value: f64, from: f64, to: f64) -> f64 {
    let all = to / 2.0 - from / 2.0;
    if all > 0.0 { ((value / 2.0 - from / 2.0) / all).clamp(0.0, 1.0) } else { 0.5 }
}

/// The least and the greatest that is drawn from top to bottom.
fn extent(table: &Table, kind: Kind, stacked: bool) -> (f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut take = |value: f64| {
        // The ends of numbers would leave no room for an axis around them.
        let value = value.clamp(-1e300, 1e300);
        least = least.min(value);
        most = most.max(value);
    };
    if stacked {
        let rows = table.series.iter().map(|series| series.values.len()).max().unwrap_or(0);
        for row in 0..rows {
            let values = || table.series.iter().filter_map(|series| series.values.get(row).copied().flatten());
            take(values().filter(|value| *value > 0.0).sum());
            take(values().filter(|value| *value < 0.0).sum());
        }
    } else {
        table.series.iter().flat_map(|series| &series.values).flatten().for_each(|value| take(*value));
    }
    if least > most {
        return (0.0, 1.0);
    }
    // Bars always begin at zero; lines do where zero is not far.
    let from_zero = kind == Kind::Bar || (least > 0.0 && least < most * 0.4);
    let to_zero = kind == Kind::Bar || (most < 0.0 && most > least * 0.4);
    (if from_zero { least.min(0.0) } else { least }, if to_zero { most.max(0.0) } else { most })
}

/// The first and the last place from left to right.
fn places(table: &Table, kind: Kind) -> (f64, f64) {
    match &table.x {
        X::Names(names) => (-0.5, names.len().max(1) as f64 - 0.5),
        X::Numbers(at) => {
            let (from, to) =
                (at.first().copied().unwrap_or(0.0).clamp(-1e300, 1e300), at.last().copied().unwrap_or(1.0).clamp(-1e300, 1e300));
            if kind == Kind::Scatter || from >= to { Ticks::around(from, to, 6.0).range() } else { (from, to) }
        }
        X::Days(days) => {
            let (from, to) = (days.first().copied().unwrap_or(0), days.last().copied().unwrap_or(0));
            if from == to { (from as f64 - 1.0, to as f64 + 1.0) } else { (from as f64, to as f64) }
        }
    }
}

/// Where each name of the legend stands. There is none for a single series.
fn legend(table: &Table, width: f64, top: &mut f64) -> Vec<(f64, f64)> {
    if table.series.len() < 2 {
        return Vec::new();
    }
    *top += 22.0;
    let mut x = EDGE;
    let mut places = Vec::new();
    for series in &table.series {
        let needed = self::width(&series.name, SMALL).min(160.0) + 17.0 + 20.0;
        if x + needed > width - EDGE && x > EDGE {
            x = EDGE;
            *top += 20.0;
        }
        places.push((x, *top - 4.0));
        x += needed;
    }
    places
}
